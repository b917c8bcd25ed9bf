"""What the parsers of all commands share: help, one-sentence errors, common options, times."""

from __future__ import annotations

import argparse
import shlex
from typing import NoReturn

from newsreco.output import say, visible

CLICK_MODELS = ("preference", "random")
EMBEDDERS = ("tfidf", "sentence")
INDEXES = ("exact", "faiss", "qdrant")
METRICS = ("ranker_auc", "ranker_mrr", "ranker_ndcg_at_5", "ranker_ndcg_at_10")
RANKERS = ("logistic", "lambdamart")

FOLDER = {"required": True, "metavar": "FOLDER"}
MAX_SEED = 2**32 - 1  # the largest that every random generator takes


def whole_seed(text: str) -> int:
    """An option's value as a seed."""
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_SEED):
        raise argparse.ArgumentTypeError(
            f"must be a whole number from 0 to {MAX_SEED}, got {text!r}"
        )
    return int(text)


def output_file(text: str) -> str:
    """An option's value, if a file can be written there; checked before any work."""
    return _writable(text, folder=False)


def output_folder(text: str) -> str:
    """An option's value, if a folder can be written there; checked before any work."""
    return _writable(text, folder=True)


def _writable(text: str, folder: bool) -> str:
    from newsreco.files import check_writable

    try:
        check_writable(text, folder)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def fraction(text: str) -> float:
    """An option's value as a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, got {text!r}")
    return value


COMMON = {
    "--data": FOLDER | {"help": "folder with news.tsv and behaviors.tsv"},
    "--model": FOLDER | {"help": "folder of the trained model"},
    "--out": FOLDER | {"help": "folder of the model; replaced only when training is done"},
    "--json": {"type": output_file, "metavar": "FILE", "help": "write the result to this file"},
    "--report": {
        "type": output_folder, "metavar": "FOLDER", "help": "write a report in HTML and Markdown",
    },
    "--half-life": {
        "type": float, "default": 3.0, "metavar": "DAYS", "help": "half-life of clicks, in days",
    },
    "--test-fraction": {
        "type": float, "default": 0.2, "metavar": "F",
        "help": "fraction of the impressions, the last ones, held out for evaluation",
    },
    "--seed": {"type": whole_seed, "default": 0, "help": "seed of the random numbers"},
    "--database": {
        "metavar": "URL",
        "help": "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE "
        "(default: NEWSRECO_DATABASE_URL, else sqlite:///newsreco.db)",
    },
    "--tracking-uri": {
        "metavar": "URI",
        "help": "MLflow's store (default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db)",
    },
    "--max-loss": {
        "type": fraction, "metavar": "F",
        "help": "stop if a larger fraction of the lines, entries or clicks cannot be used "
        "(default: NEWSRECO_MAX_LOSS, else 0.2)",
    },
    "--strict": {"action": "store_true", "help": "stop at the first bad line"},
    "--quiet": {"action": "store_true", "help": "show no progress bars"},
}  # fmt: skip


class Parser(argparse.ArgumentParser):
    """Parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {visible(message)}\n")


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help with the default of each option that has one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False or action.default == "":
            return action.help
        return super()._get_help_string(action)


def add_command(
    commands: argparse._SubParsersAction, name: str, help: str, example: str
) -> argparse.ArgumentParser:
    """Parser of one command, with its help and an example of its options."""
    parser = commands.add_parser(name, help=help, formatter_class=Help)
    parser.description = help[0].upper() + help[1:] + "."
    parser.epilog = f"example: {parser.prog} {example}"
    return parser


def add_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """Options that several commands have, by name."""
    for name in names:
        parser.add_argument(name, **COMMON[name])


def add_k(parser: argparse.ArgumentParser, default: int) -> None:
    """The option -k, also --k."""
    parser.add_argument("-k", "--k", type=int, default=default, help="length of the list")


def utc_time(text: str) -> float:
    """Seconds UTC of an option's value in ISO 8601."""
    from newsreco.data.times import parse_time

    try:
        return parse_time(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a time in ISO 8601 such as 2025-03-10T12:00:00Z, got {text!r}"
        ) from None


def say_next(*words: str) -> None:
    """Print a command of newsreco that is the natural next step."""
    say("next:", shlex.join(["newsreco", *words]))


def store_options(arguments: argparse.Namespace) -> list[str]:
    """The options that name MLflow's store and the registered model, where not the default."""
    from newsreco.config import REGISTERED_MODEL
    from newsreco.tracking.client import mask_password

    uri, name = arguments.tracking_uri, getattr(arguments, "name", REGISTERED_MODEL)
    words = ["--tracking-uri", mask_password(uri)] if uri else []
    return words + (["--name", name] if name != REGISTERED_MODEL else [])
