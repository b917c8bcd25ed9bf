import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { Failure, fakeApi, run } from "./api";
import { open } from "./open";

const RUNS = [
  run("a", { metrics: { ranker_auc: 0.7, ranker_auc_low: 0.6, ranker_auc_high: 0.8 }, parameters: { seed: "1" }, status: "active" }),
  run("b", { metrics: { ranker_auc: 0.6 }, parameters: { seed: "2" }, model_type: "hybrid" }),
];
const answer = (data: unknown) => ({ success: true, data, count: 1 });
const SUMMARY = { total_runs: 2, counts_by_type: { ranking: 1, hybrid: 1 }, counts_by_status: { active: 1, finished: 1 }, latest_models: RUNS, mlflow_url: "http://mlflow:5000" };
const API = {
  "GET /api/models/summary": answer(SUMMARY),
  "GET /api/models/runs": answer(RUNS),
  "GET /api/models/runs/a/history": answer({ step_loss: [{ step: 0, value: 1 }, { step: 1, value: 0.5 }] }),
  "GET /api/models/runs/b/history": answer({}),
  "POST /api/models/compare": answer({ runs: RUNS, metrics: { ranker_auc: { a: 0.7, b: 0.6 } } }),
};
const rows = () => within(screen.getAllByRole("table")[0]!).getAllByRole("rowheader").map((cell) => cell.textContent);

test("the page names what serves, counts the runs and links to MLflow", async () => {
  fakeApi(API);
  open("/metrics");
  const overview = await screen.findByRole("region", { name: "Overview" });
  expect(within(overview).getByText("abc")).toBeTruthy();
  expect(within(overview).getByText("2")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Open MLflow" }).getAttribute("href")).toBe("http://mlflow:5000");
});

test("runs are sorted by a column and filtered by type", async () => {
  fakeApi(API);
  open("/metrics");
  const header = await screen.findByRole("button", { name: "Ranker AUC" });
  await userEvent.click(header);
  expect(rows()).toEqual(["run a", "run b"]);
  await userEvent.click(header);
  expect(rows()).toEqual(["run b", "run a"]);
  expect(header.closest("th")!.getAttribute("aria-sort")).toBe("ascending");
  await userEvent.selectOptions(screen.getByLabelText("Type"), "hybrid");
  expect(rows()).toEqual(["run b"]);
  await userEvent.type(screen.getByLabelText("Find"), "nothing");
  expect(screen.getByText("No run fits the filters.")).toBeTruthy();
});

test("chosen runs are compared, and the address keeps them", async () => {
  const calls = fakeApi(API);
  open("/metrics");
  await userEvent.click(await screen.findByRole("checkbox", { name: /run a/ }));
  await userEvent.click(screen.getByRole("checkbox", { name: /run b/ }));
  const values = await screen.findByRole("region", { name: "Values of the chosen runs" });
  expect(await within(values).findByText("0.6000")).toBeTruthy();
  expect(within(values).getByText("seed")).toBeTruthy();
  expect(calls.filter((call) => call.path.endsWith("compare")).at(-1)!.body).toEqual({ run_ids: ["a", "b"] });
  expect(new URLSearchParams(location.search).get("runs")).toBe("a,b");
});

test("without the right to read it the page says what it needs", async () => {
  fakeApi({ ...API, "GET /api/models/runs": new Failure(401, {}), "GET /api/models/summary": new Failure(401, {}) });
  open("/metrics");
  await screen.findByText("This page needs the API key of the service.");
});

test("no runs yet is no error", async () => {
  fakeApi({ ...API, "GET /api/models/runs": answer([]), "GET /api/models/summary": answer({ ...SUMMARY, latest_models: [], total_runs: 0 }) });
  open("/metrics");
  await screen.findByText("No runs yet");
});
