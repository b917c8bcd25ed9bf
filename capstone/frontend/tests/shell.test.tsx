import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { Failure, fakeApi, list, SESSION, type Call } from "./api";
import { open } from "./open";

const USER = (id: string) => ({ user_id: id, in_training_data: true, events: [{}], lists: [] });
const DEMO = {
  "GET /api/session": { ...SESSION, demo: true },
  "GET /api/session/users": { users: [{ user_id: "U7", clicks: 3 }] },
  "GET /api/recommend/U1": list(["A"]),
  "GET /api/recommend/U7": list(["G"], { user_id: "U7" }),
  "GET /api/users/U1": USER("U1"),
  "GET /api/users/U7": USER("U7"),
  "GET /api/recommend/web-1": list(["A"]),
  "POST /api/session": (call: Call) => ({ user_id: call.body.user_id ?? "web-1", csrf_token: "t7", demo: true }),
};

test("in a demonstration another user can be chosen, and the list is theirs", async () => {
  const calls = fakeApi(DEMO);
  open("/");
  await screen.findByText("Title A");
  await userEvent.click(screen.getByRole("button", { name: /User/ }));
  await userEvent.click(await screen.findByRole("button", { name: /U7/ }));
  await screen.findByText("Title G");
  expect(screen.queryByText("Title A")).toBeNull();
  const change = calls.find((call) => call.method === "POST" && call.path === "/api/session")!;
  expect(change.headers["X-CSRF-Token"]).toBe("token");
});

test("without demonstration there is no picker, but one's own data", async () => {
  const calls = fakeApi({ ...DEMO, "GET /api/session": SESSION, "DELETE /api/users/U1": { user_id: "U1", rows: 1 } });
  open("/");
  await userEvent.click(await screen.findByRole("button", { name: /User/ }));
  expect(screen.queryByText("Read as")).toBeNull();
  await screen.findByText("1 event, 0 recommended lists, and a history in the training data.");
  await userEvent.click(screen.getByRole("button", { name: "Delete it…" }));
  expect(calls.some((call) => call.method === "DELETE")).toBe(false);
  await userEvent.click(screen.getByRole("button", { name: "Really delete all of it" }));
  expect(calls.some((call) => call.method === "DELETE" && call.path === "/api/users/U1")).toBe(true);
});

test("Escape closes the menu and gives the focus back", async () => {
  fakeApi(DEMO);
  open("/");
  const button = await screen.findByRole("button", { name: /User/ });
  await userEvent.click(button);
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByText("Read as")).toBeNull();
  expect(document.activeElement).toBe(button);
});

test("the theme is chosen in turn and kept", async () => {
  fakeApi(DEMO);
  open("/");
  const button = await screen.findByRole("button", { name: "Theme: system" });
  await userEvent.click(button);
  await userEvent.click(button);
  expect(document.documentElement.dataset.theme).toBe("dark");
  expect(localStorage.getItem("theme")).toBe("dark");
  await userEvent.click(button);
  expect(document.documentElement.dataset.theme).toBeUndefined();
});

test("a page change moves title and mark", async () => {
  fakeApi(DEMO);
  open("/");
  await userEvent.click(await screen.findByRole("link", { name: "Ask" }));
  expect(document.title).toBe("Ask · newsreco");
  expect(screen.getByRole("link", { name: "Ask" }).getAttribute("aria-current")).toBe("page");
});

test("an unknown address is said in the app's words", async () => {
  fakeApi(DEMO);
  open("/nothing");
  await screen.findByText("There is no such page");
});

test("a service that does not answer is said, and asked again", async () => {
  let down = true;
  fakeApi({ ...DEMO, "GET /api/session": () => down ? new Failure(503, {}) : SESSION });
  open("/");
  const again = await screen.findByRole("button", { name: "Try again" });
  down = false;
  await userEvent.click(again);
  await screen.findByText("Title A");
});
