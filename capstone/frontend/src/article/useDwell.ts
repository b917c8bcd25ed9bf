import { useEffect, useRef } from "react";

const LONGEST = 86_400_000; // milliseconds that the service takes

/** Calls `left(milliseconds)` with the time that this was in view, when it goes or the page does. */
export function useDwell(left: (milliseconds: number) => void): void {
  const report = useRef(left);
  report.current = left;
  useEffect(() => {
    let since: number | null = performance.now();
    let total = 0;
    let sent = false;
    const pause = () => {
      if (since !== null) total += performance.now() - since;
      since = null;
    };
    const change = () => {
      if (document.visibilityState === "hidden") pause();
      else since = performance.now();
    };
    const send = () => {
      pause();
      if (!sent) report.current(Math.min(LONGEST, Math.round(total)));
      sent = true;
    };
    document.addEventListener("visibilitychange", change);
    window.addEventListener("pagehide", send);
    return () => {
      document.removeEventListener("visibilitychange", change);
      window.removeEventListener("pagehide", send);
      send();
    };
  }, []);
}
