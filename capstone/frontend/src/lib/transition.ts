import { flushSync } from "react-dom";

const still = () => window.matchMedia?.("(prefers-reduced-motion: reduce)").matches;

/** Make a change of state as a view transition, where the browser has them and motion is welcome. */
export function withTransition(change: () => void): void {
  if (!("startViewTransition" in document) || still()) change();
  else document.startViewTransition(() => flushSync(change));
}
