import { useState } from "react";
import {
  Bar, BarChart, CartesianGrid, ErrorBar, Legend, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis,
} from "recharts";
import { compareRuns, getHistory } from "../api/client";
import type { History, Run } from "../api/types";
import { metric as number } from "../lib/format";
import { Problem, Skeletons } from "../lib/states";
import { useLoad } from "../lib/useLoad";
import { useSession } from "../session/SessionProvider";
import { bars, families, label } from "./runs";

const COLOURS = [1, 2, 3, 4, 5].map((n) => `var(--chart-${n})`);
const AXIS = { stroke: "var(--quiet)", fontSize: 12, tickLine: false } as const;
const HINT = { contentStyle: { background: "var(--surface)", border: "1px solid var(--line)", borderRadius: 8 } } as const;
const calm = () => window.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;

/** Chosen runs side by side: their metrics with confidence intervals, and their loss curves. */
export default function Comparison({ ids }: { ids: string[] }) {
  const { session } = useSession();
  const loaded = useLoad(ids.join(), async (signal) => {
    const histories = Promise.all(ids.map((id) => getHistory(id, signal)));
    return { ...await compareRuns(session, ids), histories: await histories };
  });
  if (loaded.error) return <Problem error={loaded.error} retry={loaded.retry} />;
  if (!loaded.value) return <Skeletons count={1} className="chart" />;
  const { runs, metrics, histories } = loaded.value;
  return (
    <div className="comparison">
      <MetricChart runs={runs} />
      <LossCurves runs={runs} histories={histories} />
      <Differences runs={runs} metrics={metrics} />
    </div>
  );
}

function names(runs: Run[]): string[] {
  return runs.map((run, n) => `${n + 1}. ${run.name}`);
}

function MetricChart({ runs }: { runs: Run[] }) {
  const all = families(runs);
  const [chosen, setChosen] = useState("");
  const family = all.includes(chosen) ? chosen : all[0] ?? "";
  const rows = bars(runs, family);
  if (!rows.length) return null;
  return (
    <figure className="chart">
      <figcaption>
        <span>Metrics, 95 % intervals</span>
        <label>Of <select value={family} onChange={(event) => setChosen(event.target.value)}>
          {all.map((name) => <option key={name} value={name}>{label(name)}</option>)}
        </select></label>
      </figcaption>
      <div className="chart-box" role="img" aria-label={`Bar chart of ${label(family)} metrics; the table below has the values`}>
        <ResponsiveContainer width="100%" height="100%">
          <BarChart data={rows} margin={{ left: -16, right: 8, top: 8 }} accessibilityLayer={false}>
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis dataKey="name" interval={0} {...AXIS} />
            <YAxis {...AXIS} axisLine={false} domain={[0, "auto"]} />
            <Tooltip {...HINT} cursor={{ fill: "var(--tint)" }} formatter={(value) => number(Number(value))} />
            <Legend iconType="circle" iconSize={8} />
            {names(runs).map((name, n) => {
              const id = runs[n]!.run_id;
              return (
                <Bar key={id} name={name} dataKey={(row) => row.bars[id]?.value} fill={COLOURS[n]} radius={[3, 3, 0, 0]}
                  maxBarSize={40} isAnimationActive={!calm()} animationDuration={300}>
                  <ErrorBar dataKey={(row) => row.bars[id]?.interval} stroke="var(--ink)" strokeWidth={1.25} width={4} />
                </Bar>
              );
            })}
          </BarChart>
        </ResponsiveContainer>
      </div>
    </figure>
  );
}

function LossCurves({ runs, histories }: { runs: Run[]; histories: History[] }) {
  const metrics = [...new Set(histories.flatMap((history) => Object.keys(history)))];
  const [chosen, setChosen] = useState("");
  const metric = metrics.includes(chosen) ? chosen : metrics.find((name) => name.includes("loss")) ?? metrics[0];
  if (!metric) return <p className="quiet">The chosen runs recorded no metric per step.</p>;
  return (
    <figure className="chart">
      <figcaption>
        <span>Training, step by step</span>
        <label>Metric <select value={metric} onChange={(event) => setChosen(event.target.value)}>
          {metrics.map((name) => <option key={name} value={name}>{label(name)}</option>)}
        </select></label>
      </figcaption>
      <div className="chart-box" role="img" aria-label={`Line chart of ${label(metric)} by step of the chosen runs`}>
        <ResponsiveContainer width="100%" height="100%">
          <LineChart margin={{ left: -8, right: 16, top: 8 }} accessibilityLayer={false}>
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis dataKey="step" type="number" allowDecimals={false} domain={["dataMin", "dataMax"]} {...AXIS} />
            <YAxis {...AXIS} axisLine={false} domain={["auto", "auto"]} tickFormatter={(value) => number(value)} />
            <Tooltip {...HINT} formatter={(value) => number(Number(value))} labelFormatter={(step) => `Step ${step}`} />
            <Legend iconType="circle" iconSize={8} />
            {names(runs).map((name, n) => histories[n]?.[metric] && (
              <Line key={runs[n]!.run_id} name={name} data={histories[n][metric]} dataKey="value" stroke={COLOURS[n]}
                strokeWidth={2} dot={{ r: 2.5 }} isAnimationActive={!calm()} animationDuration={300} />
            ))}
          </LineChart>
        </ResponsiveContainer>
      </div>
    </figure>
  );
}

function Differences({ runs, metrics }: { runs: Run[]; metrics: Record<string, Record<string, number>> }) {
  const shown = Object.entries(metrics).filter(([name]) => !/_(low|high|se)$/.test(name));
  const parameters = [...new Set(runs.flatMap((run) => Object.keys(run.parameters)))]
    .filter((name) => new Set(runs.map((run) => run.parameters[name])).size > 1);
  return (
    <details className="differences" open={runs.length > 1}>
      <summary>All values</summary>
      <div className="table-box" tabIndex={0} role="region" aria-label="Values of the chosen runs">
        <table>
          <thead><tr><th scope="col">Metric or parameter</th>{names(runs).map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
          <tbody>
            {parameters.map((name) => (
              <tr key={name}><th scope="row"><code>{name}</code></th>
                {runs.map((run) => <td key={run.run_id} className="numeric">{run.parameters[name] ?? "–"}</td>)}</tr>
            ))}
            {shown.map(([name, values]) => (
              <tr key={name}><th scope="row">{label(name)}</th>
                {runs.map((run) => <td key={run.run_id} className="numeric">{number(values[run.run_id])}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
