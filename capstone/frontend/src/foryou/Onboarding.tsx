import { useMemo, useState } from "react";
import { getRecommendations } from "../api/client";
import { hue, plural } from "../lib/format";
import { CheckIcon } from "../lib/icons";
import { Category, Problem, Skeletons } from "../lib/states";
import { useImpressions } from "../lib/useImpressions";
import { useLoad } from "../lib/useLoad";
import { useSession } from "../session/SessionProvider";
import { varied } from "./slots";

const ASKED = 60; // the trending articles among which varied ones are found
const SHOWN = 12;

/** A new user chooses articles; they become likes, and the next list knows of them. */
export function Onboarding({ done, skip }: { done: (likes: number) => void; skip: () => void }) {
  const { session, record } = useSession();
  const trending = useLoad(session.user_id, (signal) => getRecommendations(session.user_id, ASKED, signal));
  const items = useMemo(() => varied(trending.value?.recommendations ?? [], 1, SHOWN), [trending.value]);
  const [chosen, setChosen] = useState(new Set<string>());
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const event = (id: string) => ({
    news_id: id, list_id: trending.value?.list_id,
    position: trending.value?.recommendations.findIndex((item) => item.id === id),
  });
  const list = useImpressions((id) => {
    record({ ...event(id), event: "impression" }).catch(() => undefined);
  }, items);
  const toggle = (id: string) => setChosen((now) => {
    const next = new Set(now);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  const finish = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await Promise.all([...chosen].map((id) => record({ ...event(id), event: "like" })));
      done(chosen.size);
    } catch (problem) {
      setError(problem as Error);
      setBusy(false);
    }
  };
  return (
    <section className="onboarding" aria-labelledby="onboarding-title">
      <h1 id="onboarding-title">What do you like to read?</h1>
      <p className="lead">You are new here, so there is no history to recommend from: a cold start.
        Choose a few of these trending articles, and the list becomes yours.</p>
      {trending.error && <Problem error={trending.error} retry={trending.retry} />}
      {!trending.value && !trending.error && <Skeletons count={SHOWN} className="picks" />}
      <ul className="picks" ref={list as React.RefObject<HTMLUListElement>}>
        {items.map((item) => (
          <li key={item.id} data-view={item.id}>
            <button type="button" className="pick" aria-pressed={chosen.has(item.id)} onClick={() => toggle(item.id)}>
              <Category name={item.category} hue={hue(item.category)} />
              <span className="pick-title">{item.title}</span>
              <span className="pick-mark"><CheckIcon /></span>
            </button>
          </li>
        ))}
      </ul>
      {error && <Problem error={error} />}
      <div className="onboarding-foot">
        <span className="quiet" role="status">{chosen.size ? `${plural(chosen.size, "article")} chosen` : "None chosen yet"}</span>
        <button type="button" className="button" onClick={skip}>Skip</button>
        <button type="button" className="button button-primary" disabled={!chosen.size || busy} onClick={finish}>
          Show my news
        </button>
      </div>
    </section>
  );
}
