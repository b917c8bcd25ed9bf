import { expect, test } from "vitest";
import { bars, families, filtered, label, leading, newest, sorted } from "../src/metrics/runs";
import { run } from "./api";

const ids = (runs: { run_id: string }[]) => runs.map(({ run_id }) => run_id);
const RUNS = [
  run("a", { model_type: "ranking", status: "active", seconds: 5, metrics: { ranker_auc: 0.7 }, parameters: { seed: "1" } }),
  run("b", { model_type: "hybrid", status: "failed", seconds: null }),
  run("c", { model_type: "hybrid", status: "finished", seconds: 20, metrics: { ranker_auc: 0.6 } }),
];

test("runs are filtered by type, status and words of name or parameters", () => {
  const none = { text: "", model_type: "", status: "" };
  expect(ids(filtered(RUNS, none))).toEqual(["a", "b", "c"]);
  expect(ids(filtered(RUNS, { ...none, model_type: "hybrid" }))).toEqual(["b", "c"]);
  expect(ids(filtered(RUNS, { ...none, model_type: "hybrid", status: "failed" }))).toEqual(["b"]);
  expect(ids(filtered(RUNS, { ...none, text: "RUN 1" }))).toEqual(["a"]);
});

test("runs are sorted in both directions, those without a value last", () => {
  expect(ids(sorted(RUNS, { key: "seconds", down: false }, ""))).toEqual(["a", "c", "b"]);
  expect(ids(sorted(RUNS, { key: "seconds", down: true }, ""))).toEqual(["c", "a", "b"]);
  expect(ids(sorted(RUNS, { key: "metric", down: false }, "ranker_auc"))).toEqual(["c", "a", "b"]);
  expect(ids(sorted(RUNS, { key: "status", down: false }, ""))).toEqual(["a", "b", "c"]);
});

test("metrics are grouped by what they are of, the ranker first among equals", () => {
  const metrics = { trending_auc: 1, ranker_auc: 1, users: 3, ranker_auc_low: 0, ranked_ndcg_at_10: 1 };
  expect(families([run("a", { metrics })])).toEqual(["ranker", "ranked", "trending"]);
});

test("a bar has its interval as distances from its value", () => {
  const metrics = { ranker_auc: 0.75, ranker_auc_low: 0.5, ranker_auc_high: 0.875, ranker_mrr: 0.25 };
  expect(bars([run("a", { metrics }), run("b")], "ranker")).toEqual([
    { metric: "ranker_auc", name: "AUC", bars: { a: { value: 0.75, interval: [0.25, 0.125] } } },
    { metric: "ranker_mrr", name: "MRR", bars: { a: { value: 0.25, interval: undefined } } },
  ]);
});

test("metrics have the field's names", () => {
  expect(label("ranker_ndcg_at_10")).toBe("Ranker NDCG@10");
  expect(label("step_loss")).toBe("Step loss");
});

test("the table leads with the ranker's AUC, else with the most frequent metric", () => {
  expect(leading(RUNS)).toBe("ranker_auc");
  const rmse = { metrics: { rmse: 1 } };
  expect(leading([run("a", { metrics: { mae: 1 } }), run("b", rmse), run("c", rmse)])).toBe("rmse");
  expect(leading([])).toBe("");
});

test("model cards fill a row with newer runs that did not fail", () => {
  expect(ids(newest([RUNS[2]!], RUNS))).toEqual(["c", "a"]);
});
