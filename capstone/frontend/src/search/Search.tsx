import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { search } from "../api/client";
import type { Found } from "../api/types";
import { useOpenArticle } from "../article/ArticleProvider";
import { useAnnounce } from "../lib/Announcer";
import { hue, plural } from "../lib/format";
import { SearchIcon } from "../lib/icons";
import { Category, Empty, Problem, Skeletons } from "../lib/states";
import { useDebounced } from "../lib/useDebounced";
import { useLoad } from "../lib/useLoad";
import { Marked } from "./Marked";

const PAUSE = 200; // milliseconds without a key until the search starts

/** Search as you type; the address keeps query and category. */
export function Search() {
  const [parameters, setParameters] = useSearchParams();
  const [typed, setTyped] = useState(parameters.get("q") ?? "");
  const [category, setCategory] = useState(parameters.get("category") ?? "");
  const query = useDebounced(typed.trim(), PAUSE);
  const announce = useAnnounce();
  const box = useRef<HTMLInputElement>(null);
  const all = useLoad(query || null, (signal) => search(query, "", signal));
  const some = useLoad(query && category ? `${query}\n${category}` : null, (signal) => search(query, category, signal));
  const shown = category ? some : all;
  const results = shown.value?.results;
  const counts = categories(all.value?.results ?? [], category);

  useEffect(() => {
    setParameters((now) => address(now, query, category), { replace: true });
  }, [query, category]);
  useEffect(() => {
    if (results && !shown.loading) announce(`${plural(results.length, "result")} for ${query}`);
  }, [results, shown.loading]);
  useEffect(() => box.current?.focus(), []);

  return (
    <>
      <h1>Search</h1>
      <form role="search" className="search-box" onSubmit={(event) => event.preventDefault()}>
        <label className="visually-hidden" htmlFor="q">Search the news</label>
        <SearchIcon />
        <input id="q" ref={box} type="search" value={typed} maxLength={300} autoComplete="off"
          placeholder="Search the news" onChange={(event) => setTyped(event.target.value)} />
      </form>
      <div className="chips" role="group" aria-label="Category">
        {query && counts.length > 0 && <Chip name="All" on={!category} choose={() => setCategory("")} />}
        {counts.map(([name]) => <Chip key={name} name={name} on={category === name} choose={() => setCategory(name)} />)}
      </div>
      {shown.error && <Problem error={shown.error} retry={shown.retry} />}
      {!query && <Empty title="Find an article"><p>Type a few words: a name, a place, a topic.</p></Empty>}
      {query && shown.loading && !results && <Skeletons count={5} className="results" />}
      {query && results?.length === 0 && !shown.loading && (
        <Empty title={`Nothing found for “${query}”`}>
          <p>{category ? "Another category may have it." : "Other words may find it."}</p>
          {category && <button type="button" className="button" onClick={() => setCategory("")}>Search all categories</button>}
        </Empty>
      )}
      {query && results && results.length > 0 && <Results rows={results} query={query} waiting={shown.loading || query !== typed.trim()} />}
    </>
  );
}

function Results({ rows, query, waiting }: { rows: Found[]; query: string; waiting: boolean }) {
  const open = useOpenArticle();
  const best = rows[0]!.score;
  return (
    <>
      <p className="quiet">{plural(rows.length, "result")}, best first by BM25</p>
      <ol className="results" data-waiting={waiting} aria-label="Results">
        {rows.map((row) => (
          <li key={row.id} className="result">
            <div>
              <p className="meta"><Category name={row.category} hue={hue(row.category)} /></p>
              <h2><button type="button" className="card-title" onClick={() => open(row.id)}><Marked text={row.title} query={query} /></button></h2>
              <p className="result-abstract"><Marked text={row.abstract} query={query} /></p>
            </div>
            <p className="score" title="BM25 score of the article's best passage">
              <span className="visually-hidden">Score </span>{row.score.toFixed(2)}
              <span className="score-bar" aria-hidden="true"><span style={{ width: `${(100 * row.score) / best}%` }} /></span>
            </p>
          </li>
        ))}
      </ol>
    </>
  );
}

function Chip({ name, on, choose }: { name: string; on: boolean; choose: () => void }) {
  return <button type="button" className="chip" aria-pressed={on} onClick={choose}>{name}</button>;
}

/** Categories of the results with their number, the most frequent first; the chosen one stays. */
export function categories(rows: Found[], chosen: string): [string, number][] {
  const counts = new Map<string, number>(chosen ? [[chosen, 0]] : []);
  for (const { category } of rows) counts.set(category, (counts.get(category) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
}

function address(now: URLSearchParams, query: string, category: string): URLSearchParams {
  const next = new URLSearchParams(now);
  for (const [name, value] of [["q", query], ["category", category]] as const) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  return next;
}
