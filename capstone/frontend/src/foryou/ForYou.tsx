import { useEffect, useState } from "react";
import { useOpenArticle } from "../article/ArticleProvider";
import { useAnnounce } from "../lib/Announcer";
import { plural } from "../lib/format";
import { RefreshIcon } from "../lib/icons";
import { Empty, Problem, Skeletons } from "../lib/states";
import { useImpressions } from "../lib/useImpressions";
import { useSession } from "../session/SessionProvider";
import { Card } from "./Card";
import { Onboarding } from "./Onboarding";
import { LENGTH, useSlots } from "./useSlots";

/** The user's recommendations; a new user chooses some articles first. */
export function ForYou() {
  const { session, health, record } = useSession();
  const open = useOpenArticle();
  const announce = useAnnounce();
  const { slots, cold, error, message, act, closed, reload, retry } = useSlots();
  const [skipped, setSkipped] = useState(false);
  useEffect(() => setSkipped(false), [session.user_id]);
  const list = useImpressions((key) => {
    const slot = slots?.find(({ list_id, item }) => `${list_id} ${item.id}` === key);
    if (!slot) return;
    const { list_id, position, item } = slot;
    record({ news_id: item.id, event: "impression", list_id, position }).catch(() => undefined);
  }, slots);

  if (cold && !skipped && slots?.every((slot) => slot.state === "fresh")) {
    const done = (likes: number) => {
      setSkipped(true);
      retry();
      announce(`${plural(likes, "article")} liked. These are your recommendations.`);
    };
    return <Onboarding done={done} skip={() => setSkipped(true)} />;
  }
  return (
    <>
      <div className="title-row">
        <div>
          <h1>For you</h1>
          <p className="lead">{cold
            ? "Trending now. Like or open an article, and the list becomes yours."
            : "Chosen from what you read and liked."}</p>
        </div>
        <button type="button" className="button" onClick={reload} disabled={!slots}><RefreshIcon /> New list</button>
      </div>
      <p className="list-message" data-shown={message !== ""}>{message}</p>
      {error && <Problem error={error} retry={retry} />}
      {!slots && !error && <Skeletons count={LENGTH} className="cards" />}
      {slots?.length === 0 && <Empty title="No articles yet"><p>When news arrives, it appears here.</p></Empty>}
      <ul className="cards" ref={list as React.RefObject<HTMLUListElement>} aria-label="Recommendations">
        {slots?.map((slot, n) => (
          <Card key={slot.item.id} slot={slot} ranker={health?.ranker}
            open={() => open(slot.item.id, {
              list_id: slot.list_id, position: slot.position, reason: slot.item.reason,
              liked: slot.state === "liked",
              closed: (liked, dismissed) => closed(slot.item.id, liked, dismissed),
            })}
            like={() => act("like", slot)} dismiss={() => act("dismiss", slot).then(() => focusCard(list.current, n))} />
        ))}
      </ul>
    </>
  );
}

/** A dismissed card took the focus with it; the one in its slot gets it. */
function focusCard(list: HTMLElement | null, n: number) {
  list?.children[n]?.querySelector("button")?.focus({ preventScroll: true });
}
