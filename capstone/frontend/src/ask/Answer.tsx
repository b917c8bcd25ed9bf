import { Link } from "wouter";
import type { Answered, Source } from "../api/types";
import { useOpenArticle } from "../article/ArticleProvider";
import { percent } from "../lib/format";

const MODES = {
  extractive: ["Extractive", "Sentences quoted verbatim from the articles"],
  claude: ["Claude", "Written by Claude from the articles"],
  abstains: ["Abstains", "The articles do not answer this"],
} as const;

/** An answer with numbered citations that open their article. */
export function Answer({ answer, question }: { answer: Answered; question: string }) {
  const [mode, meaning] = MODES[answer.mode];
  const abstains = answer.mode === "abstains";
  return (
    <div className={`answer${abstains ? " answer-abstains" : ""}`}>
      {abstains
        ? <p className="answer-text">I could not find this in the articles, so I would rather not guess.</p>
        : <p className="answer-text"><Cited text={answer.answer} sources={answer.sources} /></p>}
      {abstains && <p><Link href={`/search?q=${encodeURIComponent(question.slice(0, 300))}`}>Search the articles instead</Link></p>}
      {answer.sources.length > 0 && <Sources sources={answer.sources} />}
      <p className="meta quiet">
        <span className="badge" title={meaning}>{mode}</span>
        {!abstains && <span>Confidence {percent(answer.confidence)}</span>}
      </p>
    </div>
  );
}

function Sources({ sources }: { sources: Source[] }) {
  const open = useOpenArticle();
  return (
    <ol className="sources" aria-label="Sources">
      {sources.map((source, n) => (
        <li key={n}>
          <button type="button" className="source" onClick={() => open(source.id)}>
            <span className="cite" aria-hidden="true">{n + 1}</span>
            <span><strong>{source.title}</strong>{source.quote !== source.title && <q>{source.quote}</q>}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

/** A text with each [1] as a button; a number without a source stays text. */
export function Cited({ text, sources }: { text: string; sources: Source[] }) {
  const open = useOpenArticle();
  return text.split(/\[(\d+)\]/).map((part, n) => {
    const source = n % 2 === 1 ? sources[Number(part) - 1] : undefined;
    if (n % 2 === 0) return part;
    if (!source) return `[${part}]`;
    return (
      <button key={n} type="button" className="cite" onClick={() => open(source.id)}
        aria-label={`Source ${part}: ${source.title}`} title={source.title}>{part}</button>
    );
  });
}
