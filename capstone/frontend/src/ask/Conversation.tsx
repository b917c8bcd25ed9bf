import { createContext, type Dispatch, type ReactNode, type SetStateAction, useContext, useState } from "react";
import type { Answered } from "../api/types";

/** A question with its answer, or why there is none. */
export interface Turn {
  question: string;
  answer?: Answered;
  error?: Error;
}

const Context = createContext<[Turn[], Dispatch<SetStateAction<Turn[]>>]>([[], () => {}]);

/** The questions of this visit, the newest first. */
export const useConversation = () => useContext(Context);

/** Keeps the questions while other pages are open. */
export function Conversation({ children }: { children: ReactNode }) {
  const state = useState<Turn[]>([]);
  return <Context value={state}>{children}</Context>;
}
