import { lazy, Suspense, useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";
import { getRuns, getSummary } from "../api/client";
import { Empty, Problem, Skeletons } from "../lib/states";
import { useLoad } from "../lib/useLoad";
import { ModelCards } from "./ModelCards";
import { Overview } from "./Overview";
import { RunTable } from "./RunTable";
import { newest } from "./runs";

const Comparison = lazy(() => import("./Comparison")); // the charts load when they are needed
export const MOST = 5; // runs that a chart tells apart by colour

/** Trained models: what serves, all runs, and chosen runs compared. */
export function Metrics() {
  const summary = useLoad("summary", getSummary);
  const runs = useLoad("runs", getRuns);
  const [parameters, setParameters] = useSearchParams();
  const known = useMemo(() => new Set(runs.value?.map((run) => run.run_id)), [runs.value]);
  const asked = parameters.get("runs");
  const chosen = useMemo(() => (asked ?? "").split(",").filter((id) => known.has(id)).slice(0, MOST), [asked, known]);
  const toggle = useCallback((id: string) => setParameters((now) => {
    const next = new URLSearchParams(now);
    const ids = chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id];
    if (ids.length) next.set("runs", ids.join(","));
    else next.delete("runs");
    return next;
  }, { replace: true }), [chosen, setParameters]);
  const error = runs.error ?? summary.error;
  return (
    <>
      <div className="title-row">
        <div>
          <h1>Metrics</h1>
          <p className="lead">What was trained, how well it does on the test set, and what serves.</p>
        </div>
        {summary.value?.mlflow_url && (
          <a className="button" href={summary.value.mlflow_url} target="_blank" rel="noreferrer">Open MLflow</a>
        )}
      </div>
      {summary.value && !summary.value.mlflow_url && (
        <p className="quiet">The runs are in a local MLflow database:
          {" "}<code>mlflow ui --backend-store-uri sqlite:///newsreco-home/mlflow.db</code></p>
      )}
      {error && <Problem error={error} retry={() => { runs.retry(); summary.retry(); }} />}
      {!error && (!runs.value || !summary.value) && <Skeletons count={4} className="tiles" />}
      {runs.value && summary.value && (
        <>
          <Overview summary={summary.value} />
          {runs.value.length === 0
            ? <Empty title="No runs yet"><p>Each <code>newsreco train</code> records one.</p></Empty>
            : <>
                <ModelCards models={newest(summary.value.latest_models, runs.value)} />
                <RunTable runs={runs.value} chosen={chosen} toggle={toggle} />
                <section aria-labelledby="compare-title">
                  <h2 id="compare-title">Comparison</h2>
                  {chosen.length === 0
                    ? <p className="quiet">Choose up to {MOST} runs in the table to compare their metrics and loss curves.</p>
                    : <Suspense fallback={<Skeletons count={1} className="chart" />}><Comparison ids={chosen} /></Suspense>}
                </section>
              </>}
        </>
      )}
    </>
  );
}
