import { createContext, type ReactNode, useCallback, useContext, useState } from "react";

const Context = createContext<(message: string) => void>(() => {});

/** `announce(message)`: say a change to a screen reader. */
export const useAnnounce = () => useContext(Context);

/** The page's one polite live region. */
export function Announcer({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ message: "", count: 0 });
  const announce = useCallback(
    (message: string) => setSaid(({ count }) => ({ message, count: count + 1 })),
    [],
  );
  return (
    <Context value={announce}>
      {children}
      <div className="visually-hidden" role="status" aria-live="polite">
        <span key={said.count}>{said.message}</span>
      </div>
    </Context>
  );
}
