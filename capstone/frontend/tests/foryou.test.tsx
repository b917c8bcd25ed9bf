import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { events, Failure, fakeApi, item, list, type Call } from "./api";
import { open } from "./open";
import { Watcher } from "./setup";

const LIST = "GET /api/recommend/U1";
const titles = () => screen.getAllByRole("heading", { level: 2 }).map((one) => one.textContent);
const inTurn = (...answers: unknown[]) => () => (answers.length > 1 ? answers.shift() : answers[0]);
const ARTICLE = { id: "A", title: "Title A", abstract: "Text of A", category: "news", subcategory: "local", url: "" };

test("a card shows category, reason and click probability", async () => {
  fakeApi({ [LIST]: list([], { recommendations: [item("A", { category: "music", reason: 'because you read "B"', score: Math.log(3) })] }) });
  open("/");
  const card = await screen.findByRole("listitem");
  for (const text of ["music", 'Because you read "B"', "Click probability 75 %"])
    expect(within(card).getByText(text)).toBeTruthy();
  expect(within(card).queryByText("Cold start")).toBeNull();
});

test("a like stays in its slot and the rest of the list follows", async () => {
  const calls = fakeApi({ [LIST]: inTurn(list(["A", "B", "C"]), list(["D", "C"], { list_id: "L2" })) });
  open("/");
  await userEvent.click(await screen.findByRole("button", { name: "Like: Title B" }));
  await screen.findByText("Liked. 1 new recommendation.", { selector: "p" });
  expect(titles()).toEqual(["Title D", "Title B", "Title C"]);
  expect(events(calls, "like")).toMatchObject([{ news_id: "B", list_id: "L1", position: 1, user_id: "U1" }]);
  expect(screen.getByRole("button", { name: "Like: Title B" }).getAttribute("aria-pressed")).toBe("true");
});

test("a dismissed article leaves, and the focus goes to the card in its slot", async () => {
  const calls = fakeApi({ [LIST]: inTurn(list(["A", "B"]), list(["C", "B"])) });
  open("/");
  await userEvent.click(await screen.findByRole("button", { name: "Not for me: Title A" }));
  await screen.findByText("Hidden. 1 new recommendation.", { selector: "p" });
  expect(titles()).toEqual(["Title C", "Title B"]);
  expect(events(calls, "dismiss")).toMatchObject([{ news_id: "A", list_id: "L1", position: 0 }]);
  expect(document.activeElement?.textContent).toBe("Title C");
});

test("a like that was not stored is taken back and said", async () => {
  fakeApi({ [LIST]: list(["A"]), "POST /api/feedback": new Failure(429, {}) });
  open("/");
  const like = await screen.findByRole("button", { name: "Like: Title A" });
  await userEvent.click(like);
  await screen.findByText("Too many requests. Please wait a second.", { selector: "p" });
  expect(like.getAttribute("aria-pressed")).toBe("false");
});

test("a list that a newer one overtook is dropped", async () => {
  let late!: (answer: unknown) => void;
  const slow = new Promise((done) => { late = done; });
  fakeApi({ [LIST]: inTurn(list(["A", "B"]), slow, list(["D"])) });
  open("/");
  await userEvent.click(await screen.findByRole("button", { name: "Like: Title A" }));
  await userEvent.click(screen.getByRole("button", { name: "Not for me: Title B" }));
  await screen.findByText("Title D");
  await act(async () => late(list(["OLD"])));
  expect(titles()).toEqual(["Title A", "Title D"]);
});

test("a failed list can be tried again", async () => {
  fakeApi({ [LIST]: inTurn(new Failure(503, {}), list(["A"])) });
  open("/");
  await userEvent.click(await screen.findByRole("button", { name: "Try again" }));
  await screen.findByText("Title A");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("an empty list says so", async () => {
  fakeApi({ [LIST]: list([]) });
  open("/");
  await screen.findByText("No articles yet");
});

test("a new user chooses articles, which become likes of the list that was shown", async () => {
  const cold = { cold_start: true, list_id: "L0" };
  const recommendations = ["A", "B", "C"].map((id) => item(id, { category: id }));
  let liked = 0;
  const calls = fakeApi({
    [LIST]: (call: Call) => liked ? list(["D"]) : list([], { ...cold, recommendations: recommendations.slice(0, Number(call.query.get("k"))) }),
    "POST /api/feedback": (call: Call) => { liked += Number(call.body.event === "like"); return {}; },
  });
  open("/");
  const done = await screen.findByRole<HTMLButtonElement>("button", { name: "Show my news" });
  expect(done.disabled).toBe(true);
  await userEvent.click(await screen.findByRole("button", { name: /Title A/ }));
  await userEvent.click(screen.getByRole("button", { name: /Title C/ }));
  await userEvent.click(screen.getByRole("button", { name: /Title A/ }));
  await userEvent.click(screen.getByRole("button", { name: /Title B/ }));
  await userEvent.click(done);
  await screen.findByText("Title D");
  expect(events(calls, "like").map(({ news_id, position, list_id }) => [news_id, position, list_id]))
    .toEqual([["C", 2, "L0"], ["B", 1, "L0"]]);
});

test("a new user who skips sees what is trending, as a cold start", async () => {
  fakeApi({ [LIST]: list(["A"], { cold_start: true }) });
  open("/");
  await userEvent.click(await screen.findByRole("button", { name: "Skip" }));
  expect(screen.getByText("Cold start")).toBeTruthy();
});

test("a card in view for a second is posted once as an impression", async () => {
  const calls = fakeApi({ [LIST]: list(["A", "B"]) });
  open("/");
  const card = (await screen.findByText("Title B")).closest("li")!;
  vi.useFakeTimers();
  Watcher.show(card, 0.8);
  await act(() => vi.advanceTimersByTimeAsync(1000));
  Watcher.show(card, 0.9);
  await act(() => vi.advanceTimersByTimeAsync(1000));
  expect(events(calls, "impression")).toMatchObject([{ news_id: "B", list_id: "L1", position: 1 }]);
});

test("cards that appear after the onboarding are watched, too", async () => {
  const calls = fakeApi({ [LIST]: list(["A"], { cold_start: true }) });
  open("/");
  await userEvent.click(await screen.findByRole("button", { name: "Skip" }));
  vi.useFakeTimers();
  Watcher.show(screen.getByText("Title A").closest("li")!, 1);
  await act(() => vi.advanceTimersByTimeAsync(1000));
  expect(events(calls, "impression")).toHaveLength(1);
});

test("opening an article is a click, closing it tells the dwell time and renews the list", async () => {
  const calls = fakeApi({ [LIST]: inTurn(list(["B", "A"]), list(["C"])), "GET /api/articles/A": ARTICLE });
  open("/");
  await userEvent.click(await screen.findByRole("button", { name: "Title A" }));
  await screen.findByText("Text of A");
  expect(location.search).toBe("?article=A");
  await userEvent.click(screen.getByRole("button", { name: "Close" }));
  await screen.findByText("Read");
  await waitFor(() => expect(titles()).toEqual(["Title C", "Title A"]));
  expect(events(calls, "click")).toMatchObject([{ news_id: "A", list_id: "L1", position: 1 }]);
  expect(events(calls, "dwell")).toMatchObject([{ news_id: "A", list_id: "L1", position: 1, dwell_ms: expect.any(Number) }]);
});

test("an article's address can be shared; an unknown one is named", async () => {
  fakeApi({ [LIST]: list(["B"]), "GET /api/articles/N9": new Failure(404, { detail: "no article has the id 'N9'" }) });
  open("/?article=N9");
  await screen.findByText("no article has the id 'N9'");
});
