import { createContext, type Dispatch, type ReactNode, type SetStateAction, useContext, useMemo, useState } from "react";
import type { Answered } from "../api/types";

/** A question with its answer, or why there is none. */
export interface Turn {
  question: string;
  answer?: Answered;
  error?: Error;
}

interface State {
  turns: Turn[];
  setTurns: Dispatch<SetStateAction<Turn[]>>;
  /** Titles of the last list, to ask about. */
  headlines: string[];
  setHeadlines: (titles: string[]) => void;
}

const Context = createContext<State>({ turns: [], setTurns: () => {}, headlines: [], setHeadlines: () => {} });

/** The questions of this visit, the newest first. */
export const useConversation = () => useContext(Context);

/** Keeps the questions while other pages are open. */
export function Conversation({ children }: { children: ReactNode }) {
  const [turns, setTurns] = useState<Turn[]>([]);
  const [headlines, setHeadlines] = useState<string[]>([]);
  const state = useMemo(() => ({ turns, setTurns, headlines, setHeadlines }), [turns, headlines]);
  return <Context value={state}>{children}</Context>;
}
