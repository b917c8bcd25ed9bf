import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef } from "react";
import { useSearchParams } from "wouter";
import { ArticleDialog } from "./ArticleDialog";

/** Where an article was opened: its list and position, if it was recommended. */
export interface Origin {
  list_id?: string;
  position?: number;
  reason?: string;
  liked?: boolean;
  /** Called when the article is closed again. */
  closed?: (liked: boolean, dismissed: boolean) => void;
}

const Context = createContext<(id: string, origin?: Origin) => void>(() => {});

/** `open(id, origin)` shows an article above the page; its address can be shared. */
export const useOpenArticle = () => useContext(Context);

/** Shows the article that the address names (`?article=N123`) above the page. */
export function ArticleProvider({ children }: { children: ReactNode }) {
  const [parameters, setParameters] = useSearchParams();
  const id = parameters.get("article");
  const origin = useRef<{ id: string; from: Origin }>(undefined);
  const open = useCallback((article: string, from: Origin = {}) => {
    origin.current = { id: article, from };
    setParameters((now) => withArticle(now, article), { state: { opened: true } });
  }, [setParameters]);
  const close = useCallback(() => {
    if (history.state?.opened) history.back(); // so that Back does not open it again
    else setParameters((now) => withArticle(now, null), { replace: true });
  }, [setParameters]);
  const from = useMemo(() => (origin.current?.id === id ? origin.current?.from : undefined), [id]);
  return (
    <Context value={open}>
      {children}
      {id && <ArticleDialog key={id} id={id} origin={from ?? {}} close={close} />}
    </Context>
  );
}

function withArticle(parameters: URLSearchParams, article: string | null): URLSearchParams {
  const next = new URLSearchParams(parameters);
  if (article === null) next.delete("article");
  else next.set("article", article);
  return next;
}
