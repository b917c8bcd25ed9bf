import { vi } from "vitest";
import type { Recommendations, Recommended, Run } from "../src/api/types";

/** A request that the app made. */
export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  headers: Record<string, string>;
}
type Answer = unknown | ((call: Call) => unknown);

/** A failing answer. */
export class Failure {
  constructor(readonly status: number, readonly body: unknown) {}
}

export const SESSION = { user_id: "U1", csrf_token: "token", demo: false };
export const HEALTH = {
  status: "ok", model_version: "abc", model_source: "bundle", embedder: "tfidf", ranker: "logistic",
  articles: 300, assistant: "extractive", problem: null,
};

/** Answer the app's requests by "METHOD /path"; returns the list of calls. */
export function fakeApi(answers: Record<string, Answer>): Call[] {
  const calls: Call[] = [];
  const all: Record<string, Answer> = {
    "GET /api/session": SESSION,
    "GET /api/health": HEALTH,
    "POST /api/feedback": { event_id: "e", stored: true },
    ...answers,
  };
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const call: Call = {
      method: init.method ?? "GET", path: pathname, query: searchParams,
      body: init.body ? JSON.parse(String(init.body)) : {}, headers: (init.headers ?? {}) as Record<string, string>,
    };
    calls.push(call);
    const found = all[`${call.method} ${pathname}`];
    const answer = await (typeof found === "function" ? found(call) : found);
    if (answer === undefined) return new Response(JSON.stringify({ detail: `no ${pathname}` }), { status: 404 });
    if (answer instanceof Failure) return new Response(JSON.stringify(answer.body), { status: answer.status });
    return new Response(JSON.stringify(answer), { status: 200 });
  });
  return calls;
}

export const events = (calls: Call[], kind: string) =>
  calls.filter((call) => call.path === "/api/feedback" && call.body.event === kind).map((call) => call.body);

export function item(id: string, values: Partial<Recommended> = {}): Recommended {
  return { id, title: `Title ${id}`, abstract: `Abstract ${id}`, category: "news", score: 0, reason: "trending now", ...values };
}

export function list(ids: string[], values: Partial<Recommendations> = {}): Recommendations {
  return { user_id: "U1", cold_start: false, list_id: "L1", recommendations: ids.map((id) => item(id)), ...values };
}

export function run(id: string, values: Partial<Run> = {}): Run {
  return {
    run_id: id, name: `run ${id}`, model_type: "ranking", status: "finished", started: "2026-01-02T03:04:05Z",
    seconds: 10, version: null, metrics: {}, parameters: {}, ...values,
  };
}
