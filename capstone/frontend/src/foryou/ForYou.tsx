import { useEffect, useState } from "react";
import { useAnnounce } from "../lib/Announcer";
import { plural } from "../lib/format";
import { RefreshIcon } from "../lib/icons";
import { Empty, Problem, Skeletons } from "../lib/states";
import { useSession } from "../session/SessionProvider";
import { Cards } from "./Cards";
import { Onboarding } from "./Onboarding";
import { LENGTH, useSlots } from "./useSlots";

/** The user's recommendations; a new user chooses some articles first. */
export function ForYou() {
  const { session } = useSession();
  const announce = useAnnounce();
  const { slots, cold, error, message, act, closed, reload, retry } = useSlots();
  const [skipped, setSkipped] = useState(false);
  useEffect(() => setSkipped(false), [session.user_id]);

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
      {slots && <Cards slots={slots} act={act} closed={closed} />}
    </>
  );
}
