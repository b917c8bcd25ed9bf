import { useMemo, useState } from "react";
import type { Run } from "../api/types";
import { duration, metric as number, plural, when } from "../lib/format";
import { MOST } from "./Metrics";
import { Status } from "./ModelCards";
import { type Filter, filtered, label, leading, type Sort, sorted, type SortKey } from "./runs";

interface Props {
  runs: Run[];
  chosen: string[];
  toggle: (id: string) => void;
}

/** All runs, to filter, sort and choose from. */
export function RunTable({ runs, chosen, toggle }: Props) {
  const [filter, setFilter] = useState<Filter>({ text: "", model_type: "", status: "" });
  const [sort, setSort] = useState<Sort>({ key: "started", down: true });
  const [metric, setMetric] = useState(() => leading(runs));
  const rows = useMemo(() => sorted(filtered(runs, filter), sort, metric), [runs, filter, sort, metric]);
  const by = (key: SortKey) => setSort((now) => ({ key, down: now.key === key ? !now.down : key !== "name" }));
  const columns: [SortKey, string][] = [
    ["name", "Run"], ["model_type", "Type"], ["status", "Status"], ["started", "Started"],
    ["seconds", "Duration"], ["metric", label(metric)],
  ];
  return (
    <section aria-labelledby="runs-title">
      <h2 id="runs-title">Runs</h2>
      <Filters runs={runs} filter={filter} setFilter={setFilter} metric={metric} setMetric={setMetric} />
      <div className="table-box" tabIndex={0} role="region" aria-labelledby="runs-title">
        <table>
          <thead>
            <tr>
              <th scope="col"><span className="visually-hidden">Compare</span></th>
              {columns.map(([key, name]) => (
                <th key={key} scope="col" aria-sort={sort.key !== key ? undefined : sort.down ? "descending" : "ascending"}>
                  <button type="button" onClick={() => by(key)}>{name}
                    <span aria-hidden="true" className="arrow">{sort.key !== key ? "" : sort.down ? "↓" : "↑"}</span></button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((run) => (
              <tr key={run.run_id} data-chosen={chosen.includes(run.run_id)}>
                <td><input type="checkbox" aria-label={`Compare ${run.name}, ${when(run.started)}`} checked={chosen.includes(run.run_id)}
                  disabled={!chosen.includes(run.run_id) && chosen.length >= MOST} onChange={() => toggle(run.run_id)} /></td>
                <th scope="row">{run.name}{run.version !== null && <span className="quiet"> v{run.version}</span>}</th>
                <td>{run.model_type}</td>
                <td><Status status={run.status} /></td>
                <td className="nowrap">{when(run.started)}</td>
                <td className="numeric">{duration(run.seconds)}</td>
                <td className="numeric">{number(run.metrics[metric])}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p className="table-empty">No run fits the filters.</p>}
      </div>
      <p className="quiet" role="status">{plural(rows.length, "run")} of {runs.length}, {chosen.length} chosen</p>
    </section>
  );
}

interface FilterProps {
  runs: Run[];
  filter: Filter;
  setFilter: (filter: Filter) => void;
  metric: string;
  setMetric: (metric: string) => void;
}

function Filters({ runs, filter, setFilter, metric, setMetric }: FilterProps) {
  const values = (key: "model_type" | "status") => [...new Set(runs.map((run) => run[key]))].sort();
  const metrics = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort();
  return (
    <div className="filters">
      <label>Find <input type="search" value={filter.text} placeholder="name or parameter"
        onChange={(event) => setFilter({ ...filter, text: event.target.value })} /></label>
      <Choice name="Type" value={filter.model_type} values={values("model_type")} choose={(model_type) => setFilter({ ...filter, model_type })} />
      <Choice name="Status" value={filter.status} values={values("status")} choose={(status) => setFilter({ ...filter, status })} />
      <label>Metric <select value={metric} onChange={(event) => setMetric(event.target.value)}>
        {metrics.map((name) => <option key={name} value={name}>{label(name)}</option>)}
      </select></label>
    </div>
  );
}

function Choice({ name, value, values, choose }: { name: string; value: string; values: string[]; choose: (value: string) => void }) {
  return (
    <label>{name} <select value={value} onChange={(event) => choose(event.target.value)}>
      <option value="">all</option>
      {values.map((one) => <option key={one}>{one}</option>)}
    </select></label>
  );
}
