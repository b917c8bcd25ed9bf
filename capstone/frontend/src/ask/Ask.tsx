import { type FormEvent, useState } from "react";
import { ask } from "../api/client";
import { useAnnounce } from "../lib/Announcer";
import { Problem } from "../lib/states";
import { useSession } from "../session/SessionProvider";
import { Answer } from "./Answer";
import { type Turn, useConversation } from "./Conversation";

/** Questions that the articles answer, with citations. */
export function Ask() {
  const { health } = useSession();
  const announce = useAnnounce();
  const { turns, setTurns, headlines } = useConversation();
  const [typed, setTyped] = useState("");
  const busy = turns.some((turn) => !turn.answer && !turn.error);

  const send = async (question: string) => {
    if (!question || busy) return;
    const turn: Turn = { question };
    setTurns((now) => [turn, ...now]);
    setTyped("");
    const done = await ask(question).then((answer) => ({ question, answer }), (error: Error) => ({ question, error }));
    setTurns((now) => now.map((one) => (one === turn ? done : one)));
    announce("answer" in done ? done.answer.answer : done.error.message);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send(typed.trim());
  };
  return (
    <>
      <h1>Ask</h1>
      <p className="lead">Answers come from the articles only, and each sentence says from which.
        {health && <> This service {health.assistant === "claude" ? "answers with Claude" : "quotes sentences verbatim"}.</>}</p>
      <form className="ask-box" onSubmit={submit}>
        <label className="visually-hidden" htmlFor="question">Your question</label>
        <input id="question" value={typed} maxLength={1000} autoComplete="off" placeholder="Ask about the news"
          onChange={(event) => setTyped(event.target.value)} />
        <button type="submit" className="button button-primary" disabled={!typed.trim() || busy}>Ask</button>
      </form>
      {turns.length === 0 && (
        <p className="quiet">Ask for one fact about someone or something that is named: who, when, how many.
          {headlines.length > 0 && " Or ask about a headline:"}</p>
      )}
      {turns.length === 0 && (
        <div className="headlines" role="group" aria-label="Headlines">
          {headlines.map((title) => (
            <button key={title} type="button" className="chip" onClick={() => send(`${title}?`)}>{title}</button>
          ))}
        </div>
      )}
      <ol className="turns" aria-label="Questions and answers">
        {turns.map((turn, n) => (
          <li key={turns.length - n} className="turn">
            <h2 className="question">{turn.question}</h2>
            {turn.answer ? <Answer answer={turn.answer} question={turn.question} />
              : turn.error ? <Problem error={turn.error} />
              : <p className="quiet thinking">Reading the articles…</p>}
          </li>
        ))}
      </ol>
    </>
  );
}
