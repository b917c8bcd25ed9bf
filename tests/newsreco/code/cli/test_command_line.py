"""The command line answers by itself, whatever commands have joined it."""

import argparse
import subprocess
import sys

import pytest

from newsreco import __version__
from newsreco.cli import main, make_parser


def test_help_imports_nothing_slow():
    look = "import sys, newsreco.cli; newsreco.cli.make_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not {"mlflow", "lightgbm", "sqlalchemy", "anthropic", "faiss"} & set(done.stdout.split())


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"newsreco {__version__}\n"


def test_an_unknown_command_ends_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["no-such-command"])
    assert stopped.value.code == 2
    assert "no-such-command" in capsys.readouterr().err


def test_every_command_says_in_a_line_what_it_does():
    (commands,) = (a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert {choice.dest for choice in commands._choices_actions if choice.help} == set(
        commands.choices
    )
