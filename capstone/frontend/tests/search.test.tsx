import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { categories } from "../src/search/Search";
import { Failure, fakeApi } from "./api";
import { open } from "./open";

const found = (id: string, category: string, score: number) =>
  ({ id, title: `A win for ${id}`, abstract: "Words", category, score });
const searches = (calls: { path: string; query: URLSearchParams }[]) =>
  calls.filter((call) => call.path === "/api/search").map(({ query }) => [query.get("q"), query.get("category")]);

test("typing searches once, when it pauses, and shows scores and marked words", async () => {
  const calls = fakeApi({ "GET /api/search": { results: [found("X", "soccer", 4), found("Y", "music", 2)] } });
  open("/search");
  await userEvent.type(await screen.findByRole("searchbox"), "win");
  await screen.findByText("2 results, best first by BM25");
  expect(searches(calls)).toEqual([["win", null]]);
  expect(screen.getAllByText("win").map((one) => one.tagName)).toEqual(["MARK", "MARK"]);
  expect(screen.getByText("4.00", { exact: false })).toBeTruthy();
  expect(location.search).toBe("?q=win");
});

test("a category filters on the service, and the other categories stay", async () => {
  const calls = fakeApi({ "GET /api/search": { results: [found("X", "soccer", 4), found("Y", "music", 2)] } });
  open("/search?q=win");
  await userEvent.click(await screen.findByRole("button", { name: "music" }));
  expect(searches(calls)).toEqual([["win", null], ["win", "music"]]);
  expect(screen.getByRole("button", { name: "music" }).getAttribute("aria-pressed")).toBe("true");
  expect(screen.getByRole("button", { name: "soccer" })).toBeTruthy();
});

test("nothing found is said, and so is an error", async () => {
  fakeApi({ "GET /api/search": { results: [] } });
  const page = open("/search?q=zzz");
  await screen.findByText("Nothing found for “zzz”");
  page.unmount();
  fakeApi({ "GET /api/search": new Failure(500, {}) });
  open("/search?q=zzz");
  await screen.findByText("The service answered with status 500.");
});

test("categories are counted, the most frequent first", () => {
  const rows = [found("X", "b", 1), found("Y", "a", 1), found("Z", "a", 1)];
  expect(categories(rows, "c")).toEqual([["a", 2], ["b", 1], ["c", 0]]);
});
