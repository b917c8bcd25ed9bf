import { useCallback, useEffect, useState } from "react";

/** What a request came to: nothing yet, a value, or an error. */
export interface Loaded<T> {
  value?: T;
  error?: Error;
  loading: boolean;
  retry: () => void;
}

/**
 * Load something when `key` changes; `null` loads nothing. The last value stays while the next one
 * loads, and an answer that came too late is dropped.
 */
export function useLoad<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ value?: T; error?: Error; loading: boolean }>({ loading: key !== null });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (key === null) {
      setState({ loading: false });
      return;
    }
    const controller = new AbortController();
    setState((before) => ({ value: before.value, loading: true }));
    load(controller.signal).then(
      (value) => controller.signal.aborted || setState({ value, loading: false }),
      (error: Error) => controller.signal.aborted || setState({ error, loading: false }),
    );
    return () => controller.abort();
    // `load` is a new function in each render; `key` says what it loads.
  }, [key, attempt]);
  const retry = useCallback(() => setAttempt((n) => n + 1), []);
  return { ...state, retry };
}
