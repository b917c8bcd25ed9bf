import { expect, test, vi } from "vitest";
import { ask, deleteUser, getArticle, getRecommendations, search, sendEvent } from "../src/api/client";
import { Failure, fakeApi, SESSION } from "./api";

test("an event carries user, token and an id of its own", async () => {
  const calls = fakeApi({});
  await sendEvent(SESSION, { news_id: "N1", event: "like", list_id: "L", position: 0 });
  await sendEvent(SESSION, { news_id: "N1", event: "like" });
  expect(calls[0]!.headers["X-CSRF-Token"]).toBe("token");
  expect(calls[0]!.body).toMatchObject({ user_id: "U1", news_id: "N1", event: "like", list_id: "L", position: 0 });
  expect(calls[0]!.body.event_id).toMatch(/^[0-9a-f]{32}$/);
  expect(calls[1]!.body.event_id).not.toBe(calls[0]!.body.event_id);
});

test("a deletion carries the token and names the user", async () => {
  const calls = fakeApi({ "DELETE /api/users/U1": { user_id: "U1", rows: 1 } });
  await deleteUser(SESSION);
  expect(calls[0]!.headers["X-CSRF-Token"]).toBe("token");
});

test("ids and words are encoded", async () => {
  const calls = fakeApi({ "GET /api/articles/a%3Fb": { id: "a?b" }, "GET /api/search": { results: [] }, "GET /api/recommend/%23": {} });
  await getArticle("a?b");
  await search("a&k=99 #", "");
  await getRecommendations("#", 3);
  expect(calls[1]!.query.get("q")).toBe("a&k=99 #");
  expect(calls[1]!.query.has("category")).toBe(false);
  expect(calls[2]!.query.get("k")).toBe("3");
});

test.each([
  [404, { detail: "no article has the id 'N9'" }, "no article has the id 'N9'"],
  [422, { detail: [{ msg: "too long" }] }, "too long"],
  [401, { detail: "x" }, "This page needs the API key of the service."],
  [503, {}, "The service is starting or has no model yet."],
  [500, "broken", "The service answered with status 500."],
])("status %d is explained", async (status, body, message) => {
  fakeApi({ "POST /api/ask": new Failure(status as number, body) });
  await expect(ask("why?")).rejects.toThrow(message as string);
});

test("a service that cannot be reached is named", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  await expect(ask("why?")).rejects.toThrow("cannot be reached");
});
