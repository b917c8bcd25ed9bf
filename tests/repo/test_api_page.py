"""The page "API at a glance" is that of the code: all names, their lines, examples that run."""

import importlib
import inspect
import os
import re

import pytest

import api_page
import recsys
from execute import LOADERS, why_missing
from recsys import models

PREAMBLE = """
import numpy as np
from recsys import *
from recsys.models import *
from recsys.pipeline import TwoStage
from recsys.text import TfIdf, multi_hot

data = make_synthetic(n_users=60, n_items=40, n_interactions=1500)
frame = data.to_frame()
frame["user"], frame["item"] = "u" + frame["user"].astype(str), data.titles[frame["item"]]
frame.to_csv("clicks.csv", index=False)
articles = ["A dog barks", "A dog sleeps", "Rain falls"]
with open("articles.txt", "w") as file:
    print(*articles, sep=chr(10), file=file)
labelled = Interactions.from_frame(frame, user="user", item="item", time="time")
ratings = Interactions([0, 0, 1, 1], [0, 1, 0, 2], value=[5, 3, 4, 2])
genres = multi_hot(["Drama|Comedy", "Drama", "Crime", "Comedy"] * 10)[0]
train, test = leave_last_out(labelled)
model = ImplicitALS(factors=8).fit(train)
report, other = (evaluate(m, train, test) for m in (model, Popularity().fit(train)))
table = leaderboard([Popularity(), model], train, test)
lists = model.recommend(range(train.n_users), k=5)[0]
popular = Popularity().fit(train).recommend(range(train.n_users), k=5)[0]
items, scores = model.recommend(0, k=5)
item_users = np.asarray((train.matrix > 0).sum(axis=0)).ravel()
clicks, impressions = np.array([[1.0], [0], [2]]), np.array([[3.0], [2], [4]])
policy, predicted = np.full((4, 2), 0.5), np.full((4, 2), 0.3)
action, propensity, reward = [0, 1, 1, 0], [0.4, 0.6, 0.6, 0.4], [1, 0, 1, 0]
team, clicked = [[0, 1, 1, 0]], [[1, 0, 1, 0]]
model.save("model")
tower = TwoTower(8, epochs=1, item_features=genres, user_features=np.ones((train.n_users, 1)))
tower.fit(train)
two_stage = TwoStage({"popular": Popularity(), "ALS": model}, pool_size=20).fit(train, test)
vectors = TfIdf().fit_transform(articles)
"""
SECTIONS = api_page.sections()
ROWS = [(section.module, *row) for section in SECTIONS for row in section.rows]
WITHOUT_ALL = (
    "ab",
    "bandits",
    "blend",
    "bootstrap",
    "cli",
    "click_comparison",
    "comparison",
    "fields",
    "interleaving",
    "logistic",
    "off_policy",
    "pipeline",
    "plot",
    "rerank",
    "sequential",
    "spark",
    "spark_session",
    "text",
    "tuned",
)
PACKAGES = ("recsys", "recsys.models", "recsys.metrics", "recsys.retrieval", "recsys.datasets")


def public_names(module):
    """What a module offers: `__all__`, else the functions and classes that it defines."""
    if hasattr(module, "__all__"):
        return {name for name in module.__all__ if not name.startswith("_")}
    found = {name for name, member in vars(module).items() if is_own(member, module)}
    return {name for name in found if not name.startswith("_")}


def is_own(member, module):
    return callable(member) and getattr(member, "__module__", "") == module.__name__


def public_methods(cls):
    """Functions, properties and class methods of a class that have a docstring of their own."""
    kinds = (classmethod, property, recsys.interactions.cached_property)
    found = {n: inspect.getattr_static(cls, n) for n in dir(cls) if not n.startswith("_")}
    return {n for n, o in found.items() if inspect.isfunction(o) or isinstance(o, kinds)}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """A namespace in which the examples run, in a folder of its own."""
    folder, before = tmp_path_factory.mktemp("examples"), os.getcwd()
    os.chdir(folder)
    space = {}
    exec(PREAMBLE, space)
    yield space
    os.chdir(before)


def test_the_page_is_up_to_date():
    assert api_page.PAGE.read_text(encoding="utf-8") == api_page.page(), (
        "book/api.md is not that of the code: run python scripts/api_page.py"
    )


def test_every_public_name_stands_there_once():
    wanted = set()
    for module in [*PACKAGES, *(f"recsys.{name}" for name in WITHOUT_ALL)]:
        wanted |= public_names(importlib.import_module(module))
    named = [name for _, name, _ in ROWS if "." not in name]
    assert sorted(named) == sorted(wanted)


@pytest.mark.parametrize(
    "cls, left_out",
    [
        (recsys.Interactions, {"restore", "row_digest"}),
        (recsys.Report, set()),
        (models.ImplicitALS, {"restore", "state", "top_items", "parameters", "is_fitted"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_method_stands_there(cls, left_out):
    classes = (f"{cls.__name__}.", "Recommender.")
    named = {name.split(".")[1] for _, name, _ in ROWS if name.startswith(classes)}
    assert named >= public_methods(cls) - left_out - {"cold_items"}


@pytest.mark.parametrize("module, name, code", ROWS, ids=[name for _, name, _ in ROWS])
def test_example_runs_and_uses_the_name(module, name, code, names):
    for family, loader in LOADERS.items():
        for given in re.findall(rf"{loader}\((.*?)\)", code):
            data = "/".join([family, *re.findall(r"\"(.*?)\"", given)])
            if why := why_missing(data):
                pytest.skip(f"{data} is not to be had: {why}")
    assert re.search(rf"\b{name.split('.')[-1]}\b", code) or name == "Report"
    home = importlib.import_module(module)
    exec(code, names | {n: getattr(home, n) for n in public_names(home)})


def test_the_table_of_values_names_every_model():
    rows = re.findall(r"^\| ([\w, ]+) \|", api_page.table_of_values(), re.M)
    named = [name for row in rows[1:] for name in row.split(", ")]
    assert sorted(named) == sorted(models.__all__)
