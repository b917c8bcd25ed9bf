import type { Run } from "../api/types";
import { duration, metric, when } from "../lib/format";
import { label } from "./runs";

const SHOWN = ["ranker_auc", "ranker_ndcg_at_10", "reranked_recall_at_10", "ranker_mrr", "test_rmse", "rmse"];

/** The newest models with their parameters and main metrics. */
export function ModelCards({ models }: { models: Run[] }) {
  return (
    <section aria-labelledby="models-title">
      <h2 id="models-title">Newest models</h2>
      <ul className="models">
        {models.map((run) => <ModelCard key={run.run_id} run={run} />)}
      </ul>
    </section>
  );
}

function ModelCard({ run }: { run: Run }) {
  const named = SHOWN.filter((name) => name in run.metrics);
  const names = (named.length ? named : Object.keys(run.metrics)).slice(0, 3);
  return (
    <li className="model">
      <p className="meta"><Status status={run.status} /><span className="quiet">{run.model_type}</span>
        {run.version !== null && <span className="quiet">version {run.version}</span>}</p>
      <h3>{run.name}</h3>
      <p className="quiet">{when(run.started)}, trained in {duration(run.seconds)}</p>
      <dl className="numbers">
        {names.map((name) => <div key={name}><dt>{label(name)}</dt><dd>{metric(run.metrics[name])}</dd></div>)}
      </dl>
      <p className="parameters">
        {Object.entries(run.parameters).slice(0, 8).map(([name, value]) => <code key={name}>{name}={value}</code>)}
      </p>
    </li>
  );
}

/** A run's status with a colour of its own. */
export function Status({ status }: { status: Run["status"] }) {
  return <span className={`status status-${status}`}>{status}</span>;
}
