"""newsreco recommend: a list for one person from a trained model."""

from __future__ import annotations

import argparse
import json


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    parser = commands.add_parser(
        "recommend", help="a list for one person, as of the last impression learned from"
    )
    parser.add_argument("--model", required=True, help="folder that train wrote")
    parser.add_argument("--user", required=True, help="id as in the data; anybody else is new")
    parser.add_argument("--k", type=int, default=10, help="articles (default: %(default)s)")
    parser.add_argument(
        "--hours", type=float, default=0.0, help="so long after the last impression (default: 0)"
    )
    parser.add_argument("--index", default="exact", help="exact or faiss")
    parser.add_argument("--json", help="file for the list")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list; somebody unknown gets what is trending."""
    from newsreco.models.bundle import load_model
    from newsreco.models.pipeline import HOUR, RecommendationPipeline
    from recsys import validation
    from recsys.files import write_text

    hours = validation.real_number("hours", arguments.hours)
    model = load_model(arguments.model)
    recommender = RecommendationPipeline(model, index=arguments.index)
    known = arguments.user in model.user_ids
    user = model.user_ids.index(arguments.user) if known else -1
    found = recommender.recommend(user, recommender.state.now + hours * HOUR, arguments.k)
    if not known:
        print(f"nobody called {arguments.user} is known: this is what is trending")
    articles, rows = model.articles, []
    for item, score, why in zip(found.items, found.scores, found.reasons(articles.title)):
        category = articles.categories[articles.category[item]]
        print(f"{articles.ids[item]:>8}  {score:6.2f}  {articles.title[item]} [{category}] {why}")
        row = {"id": articles.ids[item], "score": float(score), "because": why}
        rows.append(row | {"title": articles.title[item], "category": category})
    if arguments.json:
        write_text(arguments.json, json.dumps(rows, indent=2) + "\n")
    return 0
