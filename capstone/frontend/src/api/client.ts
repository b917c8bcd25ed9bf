// Requests to the API of the same origin. The session's cookie goes along by itself; a write also
// carries the session's token, which no other site can read.

import type {
  Answered, Article, Compared, DemoUser, Feedback, Found, Health, History, Recommendations, Run, Session,
  Summary, UserData,
} from "./types";

/** An answer that is no success, in words for the reader. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

const WORDS: Record<number, string> = {
  401: "This page needs the API key of the service.",
  429: "Too many requests. Please wait a second.",
  503: "The service is starting or has no model yet.",
};

function explain(status: number, body: unknown): string {
  const detail = (body as { detail?: unknown } | null)?.detail;
  if (WORDS[status]) return WORDS[status];
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail) && detail[0]?.msg) return String(detail[0].msg);
  return `The service answered with status ${status}.`;
}

async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new ApiError(0, "The service cannot be reached. Is it running?");
  }
  const body: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(answer.status, explain(answer.status, body));
  return body as T;
}

const get = <T>(path: string, signal?: AbortSignal) => request<T>(path, { signal });

function write<T>(path: string, method: string, body?: unknown, token = "", keepalive = false) {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (token) headers["X-CSRF-Token"] = token;
  const text = body === undefined ? undefined : JSON.stringify(body);
  return request<T>(path, { method, headers, body: text, keepalive });
}

const data = async <T>(answer: Promise<{ data: T }>) => (await answer).data;
const query = (values: Record<string, string | number | undefined>) =>
  new URLSearchParams(
    Object.entries(values).flatMap(([k, v]) => (v === undefined || v === "" ? [] : [[k, `${v}`]])),
  ).toString();

export const openSession = () => get<Session>("/api/session");
export const becomeUser = (session: Session, user: string | null) =>
  write<Session>("/api/session", "POST", { user_id: user }, session.csrf_token);
export const getDemoUsers = (signal?: AbortSignal) =>
  get<{ users: DemoUser[] }>("/api/session/users", signal).then((answer) => answer.users);
export const getHealth = (signal?: AbortSignal) => get<Health>("/api/health", signal);
export const getRecommendations = (user: string, k: number, signal?: AbortSignal) =>
  get<Recommendations>(`/api/recommend/${encodeURIComponent(user)}?k=${k}`, signal);
export const getArticle = (id: string, signal?: AbortSignal) =>
  get<Article>(`/api/articles/${encodeURIComponent(id)}`, signal);
export const search = (q: string, category: string, signal?: AbortSignal) =>
  get<{ results: Found[] }>(`/api/search?${query({ q, k: 20, category })}`, signal);
export const ask = (question: string) =>
  write<Answered>("/api/ask", "POST", { query: question, k: 5 });
/** An event with an id of its own: sent again, it changes nothing. Outlives the page. */
export const sendEvent = (session: Session, event: Feedback) =>
  write("/api/feedback", "POST", {
    user_id: session.user_id, event_id: randomId(), ...event,
  }, session.csrf_token, true);
export const getUser = (user: string, signal?: AbortSignal) =>
  get<UserData>(`/api/users/${encodeURIComponent(user)}`, signal);
export const deleteUser = (session: Session) =>
  write(`/api/users/${encodeURIComponent(session.user_id)}`, "DELETE", undefined, session.csrf_token);

export const getSummary = (signal?: AbortSignal) => data(get<{ data: Summary }>("/api/models/summary", signal));
export const getRuns = (signal?: AbortSignal) =>
  data(get<{ data: Run[] }>("/api/models/runs?limit=100", signal));
export const getHistory = (run: string, signal?: AbortSignal) =>
  data(get<{ data: History }>(`/api/models/runs/${encodeURIComponent(run)}/history`, signal));
export const compareRuns = (session: Session, runs: string[]) =>
  data(write<{ data: Compared }>("/api/models/compare", "POST", { run_ids: runs }, session.csrf_token));

// crypto.randomUUID exists on secure origins only; a service on a local network is none.
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
