// What the API answers; the same names as in its OpenAPI document.

export interface Session {
  user_id: string;
  csrf_token: string;
  demo: boolean;
}

export interface DemoUser {
  user_id: string;
  clicks: number;
}

export interface Health {
  status: "ok" | "failing";
  model_version: string;
  model_source: "registry" | "bundle";
  embedder: string;
  ranker: string;
  articles: number;
  assistant: "extractive" | "claude";
  problem: string | null;
}

export interface Recommended {
  id: string;
  title: string;
  abstract: string;
  category: string;
  score: number;
  reason: string;
}

export interface Recommendations {
  user_id: string;
  cold_start: boolean;
  list_id: string;
  recommendations: Recommended[];
}

export interface Article {
  id: string;
  title: string;
  abstract: string;
  category: string;
  subcategory: string;
  url: string;
}

export interface Found {
  id: string;
  title: string;
  abstract: string;
  category: string;
  score: number;
}

export interface Source {
  id: string;
  title: string;
  quote: string;
}

export interface Answered {
  answer: string;
  sources: Source[];
  mode: "extractive" | "claude" | "abstains";
  confidence: number;
}

export type EventKind = "impression" | "click" | "like" | "dismiss" | "dwell";

export interface Feedback {
  news_id: string;
  event: EventKind;
  list_id?: string;
  position?: number;
  dwell_ms?: number;
}

export interface UserData {
  user_id: string;
  in_training_data: boolean;
  events: Record<string, unknown>[];
  lists: Record<string, unknown>[];
}

export type ModelType = "retrieval" | "ranking" | "embedding" | "hybrid";
export type RunStatus = "active" | "inactive" | "running" | "finished" | "failed" | "killed";

export interface Run {
  run_id: string;
  name: string;
  model_type: ModelType;
  status: RunStatus;
  started: string;
  seconds: number | null;
  version: number | null;
  metrics: Record<string, number>;
  parameters: Record<string, string>;
}

export interface Summary {
  total_runs: number;
  counts_by_type: Partial<Record<ModelType, number>>;
  counts_by_status: Partial<Record<RunStatus, number>>;
  latest_models: Run[];
  mlflow_url: string | null;
}

export interface Point {
  step: number;
  value: number;
}

export type History = Record<string, Point[]>;

export interface Compared {
  runs: Run[];
  metrics: Record<string, Record<string, number>>;
}
