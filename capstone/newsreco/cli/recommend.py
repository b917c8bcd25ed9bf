"""newsreco recommend: a list for one user from a trained model."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from newsreco.cli.options import INDEXES, add_command, add_k, add_options
from newsreco.cli.table import say_table
from newsreco.output import json_text, say

if TYPE_CHECKING:
    from newsreco.models.bundle import NewsModel
    from newsreco.models.pipeline import Recommendation


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    parser = add_command(
        commands,
        "recommend",
        "recommend articles to one user, as of the last training impression",
        "--model model --user U1243 -k 5",
    )
    add_options(parser, "--model", "--json")
    parser.add_argument("--user", required=True, help="id as in the data; any other is a new user")
    add_k(parser, 10)
    parser.add_argument(
        "--hours", type=float, default=0.0, help="hours after the last training impression"
    )
    parser.add_argument(
        "--index", choices=INDEXES, help="index for candidate generation (default: NEWSRECO_INDEX)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list; a new user gets trending articles."""
    from newsreco.config import read_config
    from newsreco.data.times import HOUR, iso_time
    from newsreco.models.bundle import load_model
    from newsreco.models.pipeline import RecommendationPipeline
    from recsys import validation

    hours = validation.real_number("hours", arguments.hours)
    model = load_model(arguments.model)
    pipeline = RecommendationPipeline(model, index=arguments.index or read_config().index)
    known = arguments.user in model.user_ids
    user = model.user_ids.index(arguments.user) if known else -1
    time = pipeline.state.now + hours * HOUR
    found = pipeline.recommend(user, time, arguments.k)
    if not known:
        say(f"{arguments.user} is a new user: trending articles")
    if found.as_of < time:
        say(f"nothing is newer than the articles of {iso_time(found.as_of)}: the freshest of all")
    show(found, model, arguments.json)
    return 0


def show(found: Recommendation, model: NewsModel, file: str | None) -> None:
    """Print a list, with the probability of a click if the ranker has one; write it as JSON.

    The probability is that of a click if the article is displayed at the top.
    """
    from recsys.files import write_text

    articles, is_probability = model.articles, hasattr(model.ranker, "probability")
    kind = "probability" if is_probability else "score"
    values = model.ranker.probability(found.scores) if is_probability else found.scores
    reasons, table, rows = found.reasons(articles.title), [], []
    for rank, (item, value, reason) in enumerate(zip(found.items, values, reasons), 1):
        name, title = articles.ids[item], articles.title[item]
        category = articles.categories[articles.category[item]]
        table.append((rank, float(value), name, f"{title} [{category}] {reason}"))
        row = {"id": name, "score": float(found.scores[rank - 1]), kind: float(value)}
        rows.append(row | {"because": reason, "title": title, "category": category})
    say_table(("rank", kind, "article", "title"), table)
    if file:
        write_text(file, json_text(rows, indent=2) + "\n")
