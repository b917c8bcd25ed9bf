import type { Run } from "../api/types";

export type SortKey = "name" | "model_type" | "status" | "started" | "seconds" | "metric";
export interface Sort {
  key: SortKey;
  down: boolean;
}
export interface Filter {
  text: string;
  model_type: string;
  status: string;
}

/** The runs that a filter keeps. */
export function filtered(runs: Run[], { text, model_type, status }: Filter): Run[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return runs.filter((run) => {
    const held = `${run.name} ${run.run_id} ${Object.values(run.parameters).join(" ")}`.toLowerCase();
    return (!model_type || run.model_type === model_type) && (!status || run.status === status) &&
      words.every((word) => held.includes(word));
  });
}

/** Runs in the order of a column; those without a value come last in both directions. */
export function sorted(runs: Run[], { key, down }: Sort, metric: string): Run[] {
  const value = (run: Run) => (key === "metric" ? run.metrics[metric] : run[key]) ?? null;
  return [...runs].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const order = typeof x === "number" ? x - (y as number) : String(x).localeCompare(String(y));
    return down ? -order : order;
  });
}

const NAME = /^(.+)_(auc|mrr|ndcg_at_\d+|recall_at_\d+|similarity_at_\d+)$/;

/** One metric's name in parts: of what, and which: `ranker_auc` is of `ranker`, and `auc`. */
export function parts(metric: string): { family: string; measure: string } | null {
  const match = NAME.exec(metric);
  return match ? { family: match[1]!, measure: match[2]! } : null;
}

/** Families of metrics that some run has, those with the most metrics first. */
export function families(runs: Run[]): string[] {
  const found = new Map<string, Set<string>>();
  for (const run of runs)
    for (const name of Object.keys(run.metrics)) {
      const part = parts(name);
      if (part) found.set(part.family, (found.get(part.family) ?? new Set()).add(part.measure));
    }
  return [...found].sort(([a, m], [b, n]) => n.size - m.size || order(a) - order(b)).map(([name]) => name);
}
const FIRST = ["ranker", "reranked", "ranked", "candidates"];
const order = (family: string) => (FIRST.includes(family) ? FIRST.indexOf(family) : FIRST.length);

/** A bar: a run's metric and its confidence interval as distances below and above. */
export interface Bar {
  value: number;
  interval?: [number, number];
}

/** Rows of a comparison chart: one per metric of a family, with one bar per run. */
export function bars(runs: Run[], family: string): { metric: string; name: string; bars: Record<string, Bar> }[] {
  const metrics = new Set(runs.flatMap((run) => Object.keys(run.metrics)));
  return [...metrics].filter((metric) => parts(metric)?.family === family).map((metric) => ({
    metric,
    name: label(parts(metric)!.measure),
    bars: Object.fromEntries(runs.flatMap((run) => {
      const value = run.metrics[metric];
      return value === undefined ? [] : [[run.run_id, { value, interval: interval(run, metric) }]];
    })),
  }));
}

function interval(run: Run, metric: string): [number, number] | undefined {
  const [low, high, value] = [run.metrics[`${metric}_low`], run.metrics[`${metric}_high`], run.metrics[metric]!];
  return low === undefined || high === undefined ? undefined : [value - low, high - value];
}

/** The newest model of each type, and as many more as fill a row of three. */
export function newest(models: Run[], runs: Run[]): Run[] {
  const first = new Set(models.map((run) => run.run_id));
  const more = runs.filter((run) => !first.has(run.run_id) && ["active", "inactive", "finished"].includes(run.status));
  return [...models, ...more.slice(0, Math.max(0, 3 - models.length))];
}

/** A metric's name as it is written in the field: `ndcg_at_10` is NDCG@10. */
export function label(metric: string): string {
  const text = metric.replaceAll("_at_", "@").replaceAll("_", " ");
  return text.replace(/\b(auc|mrr|ndcg|rmse|mae)\b/g, (word) => word.toUpperCase())
    .replace(/^[a-z]/, (first) => first.toUpperCase());
}

/** The metric that a table of runs leads with: the ranker's AUC, or the first that most runs have. */
export function leading(runs: Run[]): string {
  if (runs.some((run) => "ranker_auc" in run.metrics)) return "ranker_auc";
  const counts = new Map<string, number>();
  for (const run of runs) for (const name of Object.keys(run.metrics)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, m], [, n]) => n - m)[0]?.[0] ?? "";
}
