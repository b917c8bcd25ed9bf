import { useCallback, useEffect, useRef, useState } from "react";
import { getRecommendations } from "../api/client";
import { useConversation } from "../ask/Conversation";
import { useAnnounce } from "../lib/Announcer";
import { plural } from "../lib/format";
import { withTransition } from "../lib/transition";
import { useSession } from "../session/SessionProvider";
import { marked, merge, type Slot } from "./slots";

export const LENGTH = 12; // articles of a list

/** The page's cards, and what a reader can do to them. */
export function useSlots() {
  const { session, record } = useSession();
  const announce = useAnnounce();
  const { setHeadlines } = useConversation();
  const [slots, setSlots] = useState<Slot[]>();
  const [cold, setCold] = useState(false);
  const [error, setError] = useState<Error>();
  const [message, setMessage] = useState("");
  const latest = useRef<Slot[]>([]);
  latest.current = slots ?? [];
  const turn = useRef(0); // an answer that a later request overtook is dropped

  const load = useCallback(async (keep: boolean, said = "") => {
    const mine = ++turn.current;
    setError(undefined);
    try {
      const answer = await getRecommendations(session.user_id, LENGTH);
      if (mine !== turn.current) return;
      const next = merge(keep ? latest.current : [], answer);
      const fresh = next.filter((slot) => slot.isNew).length;
      setCold(answer.cold_start);
      setHeadlines(answer.recommendations.slice(0, 3).map((item) => item.title));
      await withTransition(() => setSlots(next));
      const told = said && `${said} ${fresh ? `${plural(fresh, "new recommendation")}.` : "The list stays as it is."}`;
      setMessage(told);
      announce(told);
    } catch (problem) {
      if (mine === turn.current) setError(problem as Error);
    }
  }, [session.user_id, announce, setHeadlines]);

  useEffect(() => {
    setSlots(undefined);
    setMessage("");
    void load(false);
    return () => { turn.current++; };
  }, [load]);

  const act = useCallback(async (kind: "like" | "dismiss", slot: Slot) => {
    const { id } = slot.item;
    const before = slot.state;
    setSlots((now) => marked(now ?? [], id, kind === "like" ? "liked" : "leaving"));
    try {
      await record({ news_id: id, event: kind, list_id: slot.list_id, position: slot.position });
    } catch (problem) {
      setSlots((now) => marked(now ?? [], id, before));
      setMessage((problem as Error).message);
      announce((problem as Error).message);
      return;
    }
    await load(true, kind === "like" ? "Liked." : "Hidden.");
  }, [record, load, announce]);

  const closed = useCallback((id: string, liked: boolean, dismissed: boolean) => {
    setSlots((now) => marked(now ?? [], id, dismissed ? "leaving" : liked ? "liked" : "read"));
    setTimeout(() => void load(true, dismissed ? "Hidden." : liked ? "Liked." : "Read."));
  }, [load]);

  return { slots, cold, error, message, act, closed, reload: () => load(false, "A new list.") , retry: () => load(false) };
}
