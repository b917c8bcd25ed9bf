import type { Summary } from "../api/types";
import { useSession } from "../session/SessionProvider";

/** What serves now, and the runs counted. */
export function Overview({ summary }: { summary: Summary }) {
  const { health } = useSession();
  return (
    <section aria-label="Overview" className="tiles">
      <div className="tile tile-active">
        <h2>Active model</h2>
        <p className="number">{health ? health.model_version : "–"}</p>
        <p className="quiet">{health && <>{health.ranker} ranker, {health.embedder} embeddings,
          {" "}{health.articles.toLocaleString("en")} articles, from the {health.model_source}</>}</p>
        {health?.problem && <p className="error" role="alert">A newer model is not served: {health.problem}</p>}
      </div>
      <div className="tile">
        <h2>Runs</h2>
        <p className="number">{summary.total_runs}</p>
      </div>
      <Counts title="By type" counts={summary.counts_by_type} />
      <Counts title="By status" counts={summary.counts_by_status} />
    </section>
  );
}

function Counts({ title, counts }: { title: string; counts: Record<string, number | undefined> }) {
  const rows = Object.entries(counts).filter(([, n]) => n);
  return (
    <div className="tile">
      <h2>{title}</h2>
      <dl className="counts">
        {rows.map(([name, n]) => <div key={name}><dt>{name}</dt><dd>{n}</dd></div>)}
        {rows.length === 0 && <div><dt>none</dt></div>}
      </dl>
    </div>
  );
}
