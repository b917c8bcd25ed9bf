import { flushSync } from "react-dom";

const still = () => window.matchMedia?.("(prefers-reduced-motion: reduce)").matches;

/**
 * Make a change of state as a view transition, where the browser has them and motion is welcome;
 * resolves when the page shows it.
 */
export async function withTransition(change: () => void): Promise<void> {
  if (!("startViewTransition" in document) || still()) flushSync(change);
  else await document.startViewTransition(() => flushSync(change)).updateCallbackDone;
}
