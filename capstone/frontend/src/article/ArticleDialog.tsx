import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { getArticle } from "../api/client";
import type { Article } from "../api/types";
import { useAnnounce } from "../lib/Announcer";
import { hue } from "../lib/format";
import { HeartIcon, HideIcon } from "../lib/icons";
import { Category, Problem } from "../lib/states";
import { useLoad } from "../lib/useLoad";
import { useSession } from "../session/SessionProvider";
import type { Origin } from "./ArticleProvider";
import { useDwell } from "./useDwell";

interface Props {
  id: string;
  origin: Origin;
  close: () => void;
}

/** One article above the page. Opening it is a click; closing it tells how long it was read. */
export function ArticleDialog({ id, origin, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const article = useLoad(id, (signal) => getArticle(id, signal));
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    document.documentElement.classList.add("modal");
    return () => {
      shown?.close(); // gives the focus back to what opened it
      document.documentElement.classList.remove("modal");
    };
  }, []);
  return (
    <dialog ref={dialog} className="article" aria-labelledby="article-title"
      onCancel={(event) => { event.preventDefault(); close(); }}
      onClick={(event) => event.target === dialog.current && close()}>
      <div className="article-body">
        <button type="button" className="icon-button article-close" aria-label="Close" onClick={close}><HideIcon /></button>
        {article.error && <Problem error={article.error} retry={article.retry} />}
        {article.loading && !article.value && <p id="article-title" className="quiet">Loading…</p>}
        {article.value && <Reading article={article.value} origin={origin} close={close} />}
      </div>
    </dialog>
  );
}

function Reading({ article, origin, close }: { article: Article; origin: Origin; close: () => void }) {
  const { record } = useSession();
  const announce = useAnnounce();
  const [liked, setLiked] = useState(origin.liked ?? false);
  const [error, setError] = useState<Error>();
  const { list_id, position } = origin;
  const event = { news_id: article.id, list_id, position };
  const clicked = useRef<Promise<unknown>>(undefined);
  const latest = useRef({ liked, dismissed: false });
  latest.current.liked = liked;
  useEffect(() => { // once, also where React mounts twice in development
    clicked.current ??= record({ ...event, event: "click" }).catch(() => undefined);
  }, []);
  useDwell((dwell_ms) => {
    const { liked, dismissed } = latest.current;
    record({ ...event, event: "dwell", dwell_ms }).catch(() => undefined); // only statistics
    Promise.resolve(clicked.current).then(() => origin.closed?.(liked, dismissed));
  });
  const send = (kind: "like" | "dismiss", then: () => void) => {
    setError(undefined);
    record({ ...event, event: kind }).then(then, setError);
  };
  return (
    <article>
      <p className="meta"><Category name={article.category} hue={hue(article.category)} />
        {article.subcategory !== article.category && <span className="quiet">{article.subcategory}</span>}</p>
      <h1 id="article-title">{article.title}</h1>
      <p className="article-text">{article.abstract || "This article has no abstract."}</p>
      {origin.reason && <p className="reason">Recommended {origin.reason === "trending now" ? "as it is trending now" : origin.reason}.</p>}
      {article.url && <p><a href={article.url} target="_blank" rel="noreferrer noopener">Read it at its source</a></p>}
      {error && <Problem error={error} />}
      <div className="article-actions">
        <button type="button" className="button" aria-pressed={liked} disabled={liked}
          onClick={() => send("like", () => { setLiked(true); announce("Liked"); })}>
          <HeartIcon filled={liked} /> {liked ? "Liked" : "Like"}
        </button>
        <button type="button" className="button"
          onClick={() => send("dismiss", () => { latest.current.dismissed = true; close(); })}>
          <HideIcon /> Not for me
        </button>
      </div>
    </article>
  );
}
