import { useEffect, useRef } from "react";

export const VISIBLE = 0.5; // fraction of a card
export const SECOND = 1000;

/**
 * Calls `seen(key)` once for each element below the returned ref that has a `data-view` key and of
 * which half was visible for one second: the definition of an impression.
 */
export function useImpressions(seen: (key: string) => void, changed: unknown) {
  const root = useRef<HTMLElement>(null);
  const posted = useRef(new Set<string>());
  const report = useRef(seen);
  report.current = seen;
  useEffect(() => {
    const timers = new Map<Element, ReturnType<typeof setTimeout>>();
    const stop = (element: Element) => {
      clearTimeout(timers.get(element));
      timers.delete(element);
    };
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, intersectionRatio } of entries) {
          const key = (target as HTMLElement).dataset.view!;
          stop(target);
          if (intersectionRatio < VISIBLE || posted.current.has(key)) continue;
          timers.set(target, setTimeout(() => {
            posted.current.add(key);
            report.current(key);
          }, SECOND));
        }
      },
      { threshold: VISIBLE },
    );
    root.current?.querySelectorAll("[data-view]").forEach((card) => observer.observe(card));
    return () => {
      observer.disconnect();
      timers.forEach((timer) => clearTimeout(timer));
    };
  }, [changed]);
  return root;
}
