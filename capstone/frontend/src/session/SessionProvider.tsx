import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { becomeUser, getHealth, openSession, sendEvent } from "../api/client";
import type { Feedback, Health, Session } from "../api/types";
import { Problem } from "../lib/states";

interface Context {
  session: Session;
  health: Health | undefined;
  /** Become a user (in a demonstration), or a new one. */
  become: (user: string | null) => Promise<void>;
  /** Store an event of this user; resolves when it is durable. */
  record: (event: Feedback) => Promise<unknown>;
}

const SessionContext = createContext<Context | null>(null);

/** The session; only below `SessionProvider`. */
export const useSession = () => useContext(SessionContext)!;

/** Opens the session, then shows its children. */
export function SessionProvider({ children }: { children: ReactNode }) {
  const [session, setSession] = useState<Session>();
  const [health, setHealth] = useState<Health>();
  const [error, setError] = useState<Error>();
  const open = useCallback(() => {
    setError(undefined);
    openSession().then(setSession, setError);
    getHealth().then(setHealth, () => undefined); // the pages do without it
  }, []);
  useEffect(open, [open]);
  const context = useMemo<Context | null>(() => session ? {
    session,
    health,
    become: async (user) => setSession(await becomeUser(session, user)),
    record: (event) => sendEvent(session, event),
  } : null, [session, health]);
  if (error) return <main className="page"><Problem error={error} retry={open} /></main>;
  if (!context) return <p className="splash" role="status">Opening…</p>;
  return <SessionContext value={context}>{children}</SessionContext>;
}
