"""The parser of all commands: fast, complete, consistent with the library."""

import argparse
import subprocess
import sys

import pytest

from newsreco import __version__
from newsreco.cli import main, make_parser, options
from newsreco.cli.options import utc_time
from newsreco.evaluation.impressions import METRICS
from newsreco.features.embeddings import EMBEDDERS
from newsreco.models.rankers import RANKERS
from newsreco.models.retrievers import INDEXES
from newsreco.synthetic.generate import CLICK_MODELS


def test_help_imports_nothing_slow():
    look = "import sys, newsreco.cli; newsreco.cli.make_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    slow = {"mlflow", "lightgbm", "sqlalchemy", "anthropic", "pydantic", "numba"}
    assert not slow & set(done.stdout.split())


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"newsreco {__version__}\n"


@pytest.mark.parametrize("words", [["no-such-command"], ["train", "--ranker", "x"], []])
def test_wrong_command_line_ends_with_2_and_one_sentence(words, capsys):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("newsreco") and error.count("\n") == 1


def subcommands(parser):
    found = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return {name: p for action in found for name, p in action.choices.items()}


def test_every_command_has_a_help_line_and_an_example(capsys):
    for name, parser in subcommands(make_parser()).items():
        for step, leaf in subcommands(parser).items() or [("", parser)]:
            assert main([name, *step.split(), "--help"]) == 0
            printed = capsys.readouterr().out
            assert f"example: newsreco {' '.join([name, step]).strip()} " in printed
            assert all(action.help for action in leaf._actions), (name, step)


def test_choices_are_those_of_the_library():
    assert set(options.CLICK_MODELS) == set(CLICK_MODELS)
    assert set(options.EMBEDDERS) == set(EMBEDDERS) and set(options.RANKERS) == set(RANKERS)
    assert set(options.INDEXES) == set(INDEXES)
    assert list(options.METRICS) == [f"ranker_{key}" for key in METRICS.values()]


def test_times_are_iso_8601_in_utc(capsys):
    assert utc_time("2025-03-10T12:00:00Z") == utc_time("2025-03-10T13:00+01:00") == 1741608000.0
    words = ["features", "build", "--data", "x", "--until", "1741608000"]
    assert main(words) == 2 and "ISO 8601" in capsys.readouterr().err
