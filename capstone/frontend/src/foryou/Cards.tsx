import type { RefObject } from "react";
import { useOpenArticle } from "../article/ArticleProvider";
import { useImpressions } from "../lib/useImpressions";
import { useSession } from "../session/SessionProvider";
import { Card } from "./Card";
import type { Slot } from "./slots";

interface Props {
  slots: Slot[];
  act: (kind: "like" | "dismiss", slot: Slot) => Promise<void>;
  closed: (id: string, liked: boolean, dismissed: boolean) => void;
}

/** The list's cards; those that were in view are posted as impressions. */
export function Cards({ slots, act, closed }: Props) {
  const { health, record } = useSession();
  const open = useOpenArticle();
  const list = useImpressions((key) => {
    const slot = slots.find(({ list_id, item }) => `${list_id} ${item.id}` === key);
    if (!slot) return;
    const { list_id, position, item } = slot;
    record({ news_id: item.id, event: "impression", list_id, position }).catch(() => undefined);
  }, slots);
  return (
    <ul className="cards" ref={list as RefObject<HTMLUListElement>} aria-label="Recommendations">
      {slots.map((slot, n) => (
        <Card key={slot.item.id} slot={slot} ranker={health?.ranker}
          open={() => open(slot.item.id, {
            list_id: slot.list_id, position: slot.position, reason: slot.item.reason,
            liked: slot.state === "liked",
            closed: (liked, dismissed) => closed(slot.item.id, liked, dismissed),
          })}
          like={() => act("like", slot)}
          dismiss={() => act("dismiss", slot).then(() => focusCard(list.current, n))} />
      ))}
    </ul>
  );
}

/** A dismissed card took the focus with it; the one in its slot gets it. */
function focusCard(list: HTMLElement | null, n: number) {
  list?.children[n]?.querySelector("button")?.focus({ preventScroll: true });
}
