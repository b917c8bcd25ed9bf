"""newsreco ask: an answer from the articles, with its sources, or an honest "I do not know"."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    ask = commands.add_parser("ask", help="ask the articles a question")
    ask.add_argument("question", nargs="?", help='such as "Who beat Tarn Rovers?"')
    ask.add_argument("--data", required=True, help="folder with news.tsv and behaviors.tsv")
    ask.add_argument("--as-of", metavar="TIME", help="only what was known then (UTC, ISO 8601)")
    ask.add_argument("--threshold", type=float, help="least confidence of an answer, 0 to 1")
    ask.add_argument(
        "--claude",
        action="store_true",
        help="let Claude word the answer: sends question and passages to Anthropic; needs "
        "ANTHROPIC_API_KEY; NEWSRECO_CLAUDE_MODEL names another model",
    )
    ask.add_argument("--json", action="store_true", help="print JSON")
    ask.add_argument(
        "--evaluate",
        action="store_true",
        help="instead of one question, ask a set with known sources: half of them to choose a "
        "threshold on, half to judge it",
    )
    ask.add_argument(
        "--questions",
        metavar="FILE",
        help="for --evaluate: JSON lines (default: questions.jsonl in the data folder)",
    )
    ask.add_argument("--seed", type=int, default=0, help="of the halves (default: %(default)s)")
    ask.set_defaults(run=run_ask)


def run_ask(arguments: argparse.Namespace) -> int:
    """Answer one question, or judge the answers to many."""
    from newsreco.assistant.words import clean_question

    if arguments.evaluate == (arguments.question is not None):
        raise ValueError("give either a question or --evaluate")
    if not arguments.evaluate:
        clean_question(arguments.question)  # before anything is read
    if arguments.threshold is not None and not 0 <= arguments.threshold <= 1:
        raise ValueError(f"--threshold must be between 0 and 1, got {arguments.threshold}")
    assistant = make_assistant(arguments)
    if arguments.evaluate:
        return evaluate(assistant, arguments)
    answer = assistant.ask(arguments.question)
    print(json.dumps(answer.as_dict(), indent=2) if arguments.json else answer.plain())
    return 0


def make_assistant(arguments: argparse.Namespace):
    """The assistant over a folder of data, as of a moment if one is named."""
    from newsreco.assistant import Assistant, Claude
    from newsreco.assistant.answer import THRESHOLD
    from newsreco.assistant.passages import known_at
    from newsreco.data import load_articles, load_mind

    when = None if arguments.as_of is None else moment(arguments.as_of)
    if when is None:  # nobody's clicks are needed
        articles, known = load_articles(arguments.data, progress=False)[0], None
    else:
        log, _ = load_mind(arguments.data, progress=False)
        articles, known = log.articles, known_at(log, when)
    threshold = THRESHOLD if arguments.threshold is None else arguments.threshold
    writer = Claude() if arguments.claude else None
    return Assistant(articles, known, threshold, writer)


def evaluate(assistant, arguments: argparse.Namespace) -> int:
    """Print the metrics of a question set."""
    from newsreco.assistant.calibration import calibrate, summary
    from newsreco.assistant.questions import load_questions, split_questions

    questions = load_questions(arguments.questions or arguments.data, assistant.articles)
    choose, evaluation = split_questions(questions, arguments.seed)
    if arguments.threshold is None:
        assistant.threshold = calibrate(assistant, choose)
    table = summary(assistant, evaluation)
    if arguments.json:
        metrics = {"threshold": assistant.threshold} | table.to_dict("index")
        print(json.dumps(metrics, indent=2))
    else:
        print(f"threshold {assistant.threshold:.3f}, from {len(choose)} other questions")
        print(table.round(3).to_string())
    return 0


def moment(text: str) -> float:
    """Seconds UTC of a time in ISO 8601; one without a zone is UTC.

    >>> moment("2025-03-10T12:00")
    1741608000.0
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--as-of must be a time such as 2025-03-10T12:00, got {text!r}") from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
