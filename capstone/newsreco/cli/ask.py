"""newsreco ask: an answer from the articles with its sources, or "I do not know"."""

from __future__ import annotations

import argparse

from newsreco.cli.options import add_command, add_options, utc_time, whole_seed
from newsreco.output import json_text, say


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    ask = add_command(
        commands, "ask", "ask the articles a question", '--data data "Who beat Tarn Rovers?"'
    )
    ask.add_argument("question", nargs="?", help="the question, or --evaluate")
    add_options(ask, "--data")
    ask.add_argument(
        "--as-of", type=utc_time, metavar="TIME",
        help="use only what was known at this time (ISO 8601, UTC)",
    )  # fmt: skip
    ask.add_argument("--threshold", type=float, help="lowest confidence of an answer, 0 to 1")
    ask.add_argument(
        "--claude",
        action="store_true",
        help="let Claude write the answer: sends question and passages to Anthropic; needs "
        "ANTHROPIC_API_KEY; NEWSRECO_CLAUDE_MODEL names another model",
    )
    ask.add_argument("--json", action="store_true", help="print JSON")
    ask.add_argument(
        "--evaluate",
        action="store_true",
        help="evaluate on questions with known sources: half to choose a threshold, half to test",
    )
    ask.add_argument(
        "--questions",
        metavar="FILE",
        help="for --evaluate: JSON lines (default: questions.jsonl in the data folder)",
    )
    ask.add_argument(
        "--families",
        choices=("development", "evaluation"),
        help="for --evaluate: stories and traps of this file among the articles, with and without "
        "the check of who did what to whom",
    )
    ask.add_argument("--seed", type=whole_seed, default=0, help="seed of the split or the stories")
    ask.set_defaults(run=run_ask)


def run_ask(arguments: argparse.Namespace) -> int:
    """Answer one question, or evaluate the answers to many."""
    from newsreco.assistant.words import clean_question

    if arguments.evaluate == (arguments.question is not None):
        raise ValueError("give either a question or --evaluate")
    if arguments.families and (not arguments.evaluate or arguments.questions):
        raise ValueError("--families needs --evaluate, and brings its own questions")
    if not arguments.evaluate:
        clean_question(arguments.question)  # before anything is read
    if arguments.threshold is not None and not 0 <= arguments.threshold <= 1:
        raise ValueError(f"--threshold must be between 0 and 1, got {arguments.threshold}")
    assistant = make_assistant(arguments)
    if arguments.families:
        return evaluate_families(assistant, arguments)
    if arguments.evaluate:
        return evaluate(assistant, arguments)
    answer = assistant.ask(arguments.question)
    say(json_text(answer.as_dict(), indent=2) if arguments.json else answer.plain())
    return 0


def make_assistant(arguments: argparse.Namespace):
    """The assistant on a folder of data, as of a time if one is given."""
    from newsreco.assistant import Assistant, Claude
    from newsreco.assistant.answer import THRESHOLD
    from newsreco.assistant.passages import known_at
    from newsreco.data import load_articles, load_mind

    if arguments.as_of is None:  # the behaviors are not needed
        articles, known = load_articles(arguments.data, progress=False)[0], None
    else:
        log, _ = load_mind(arguments.data, progress=False)
        articles, known = log.articles, known_at(log, arguments.as_of)
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
        say(json_text(metrics, indent=2))
    else:
        say(f"threshold {assistant.threshold:.3f}, from {len(choose)} other questions")
        say(table.round(3).to_string())
    return 0


def evaluate_families(assistant, arguments: argparse.Namespace) -> int:
    """Print what becomes of the questions of a file of families, before and after the check."""
    from newsreco.assistant import Assistant
    from newsreco.assistant.outcomes import outcome_table, outcomes, rates, with_families

    name, seed = arguments.families, arguments.seed
    articles, questions = with_families(assistant.articles, name, seed=seed)
    before, after = (
        outcomes(Assistant(articles, threshold=assistant.threshold, check_roles=check), questions)
        for check in (False, True)
    )
    table, fractions = outcome_table(before, after), rates(after)
    if arguments.json:
        counts = {" ".join(row): counts for row, counts in table.to_dict("index").items()}
        say(json_text({"counts": counts, "after": fractions.to_dict("index")}, indent=2))
    else:
        say(f"{len(questions)} questions, before and after the check of roles")
        say(table.to_string())
        say(fractions.round(3).to_string())
    return 0
