import { clickProbability, hue, percent } from "../lib/format";
import { HeartIcon, HideIcon } from "../lib/icons";
import { Category } from "../lib/states";
import type { Slot } from "./slots";

interface Props {
  slot: Slot;
  ranker: string | undefined;
  open: () => void;
  like: () => void;
  dismiss: () => void;
}

/** One recommended article. All cards of a list have the same size. */
export function Card({ slot, ranker, open, like, dismiss }: Props) {
  const { item, state } = slot;
  const probability = clickProbability(item.score, ranker);
  const liked = state === "liked";
  return (
    <li className={`card card-${state}${slot.isNew ? " card-new" : ""}`} data-view={`${slot.list_id} ${item.id}`}
      style={{ viewTransitionName: `card-${item.id}` }}>
      <p className="meta">
        <Category name={item.category} hue={hue(item.category)} />
        {slot.cold_start && <span className="badge" title="This user has no history yet">Cold start</span>}
        {slot.isNew && state === "fresh" && <span className="badge badge-new">New</span>}
        {(state === "read" || liked) && <span className="badge">{liked ? "Liked" : "Read"}</span>}
      </p>
      <h2><button type="button" className="card-title" onClick={open}>{item.title}</button></h2>
      <p className="card-abstract">{item.abstract}</p>
      <p className="reason" title={item.reason}>{sentence(item.reason)}</p>
      <div className="card-foot">
        <span className="quiet" title={probability === null ? "Score of the ranker" : "Click probability at the first position"}>
          {probability === null ? `Score ${item.score.toFixed(2)}` : `Click probability ${percent(probability)}`}
        </span>
        <button type="button" className="icon-button" aria-pressed={liked} disabled={liked}
          aria-label={`Like: ${item.title}`} title="Like" onClick={like}><HeartIcon filled={liked} /></button>
        <button type="button" className="icon-button" aria-label={`Not for me: ${item.title}`} title="Not for me"
          disabled={state !== "fresh"} onClick={dismiss}><HideIcon /></button>
      </div>
    </li>
  );
}

const sentence = (reason: string) => reason.charAt(0).toUpperCase() + reason.slice(1);
