"""The image's files, checked without Docker: what it copies, pins, runs and leaves out."""

import re
from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest

from execute import ROOT
from newsreco.cli import make_parser

DEPLOY = ROOT / "capstone" / "deploy"
NEEDED = ("requirements.txt", "requirements-capstone.txt")
NOT_IN_THE_IMAGE = {  # the notebooks, the book, and what runs the chapters
    "ipykernel", "jupyterlab", "nbclient", "nbformat", "jupyter-book", "papermill",
}  # fmt: skip


def instructions():
    """(name, argument) of each instruction of the Dockerfile, in order."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", text)
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def pins(text):
    """The lines of a requirements file that pin a package, without their comments."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return {line for line in lines if "==" in line}


def copied():
    """The sources in the repository of all COPY instructions."""
    found = [argument for name, argument in instructions() if name == "COPY"]
    return [word for line in found if "--from" not in line for word in line.split()[:-1]]


def ignored(path):
    """Whether the ignore file leaves a path out; the last pattern that fits decides."""
    out = False
    for pattern in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines():
        if pattern.startswith("#"):
            continue
        bare = pattern.removeprefix("!")
        parents = [path, *(one.as_posix() for one in PurePosixPath(path).parents)]
        if any(fnmatch(one, bare) or fnmatch(f"/{one}", bare) for one in parents):
            out = not pattern.startswith("!")
    return out


@pytest.mark.parametrize("source", copied())
def test_every_copied_source_exists_and_is_sent_to_docker(source):
    path = ROOT / source
    assert path.exists()
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    assert any(not ignored(one.relative_to(ROOT).as_posix()) for one in files)


@pytest.mark.parametrize(
    "path",
    [
        "capstone/deploy/.env", ".git/config", "capstone/frontend/node_modules/react/index.js",
        "newsreco-home/secret", "data/cache/ratings.csv", ".venv/pyvenv.cfg", "tests/deploy/x.py",
        "capstone/newsreco/__pycache__/x.pyc",
    ],
)  # fmt: skip
def test_secrets_data_and_what_is_built_are_not_sent(path):
    assert ignored(path)


def test_pins_are_those_of_the_tests():
    allowed = set().union(*(pins((ROOT / name).read_text()) for name in NEEDED))
    image = pins((DEPLOY / "requirements.txt").read_text())
    assert image <= allowed
    names = {pin.split("==")[0].split("[")[0] for pin in image}
    left_out = {pin.split("==")[0].split("[")[0] for pin in allowed} - names
    assert {one for one in left_out if not one.startswith("sphinx")} <= NOT_IN_THE_IMAGE | {
        "pydata-sphinx-theme"
    }
    assert "-c ../../constraints.txt" in (DEPLOY / "requirements.txt").read_text()


def test_base_images_have_an_exact_version():
    bases = [argument.split()[0] for name, argument in instructions() if name == "FROM"]
    assert len(bases) == 3
    assert all(
        re.fullmatch(r"\w+:\d+\.\d+\.\d+-(slim-bookworm|bookworm-slim)", one) for one in bases
    )
    python = {one for one in bases if one.startswith("python")}
    assert len(python) == 1, "what one stage installs, the other runs"
    assert 11 <= int(python.pop().split(".")[1]) <= 13


def test_node_is_that_of_the_web_app_s_build():
    [line] = [p for p in pins((ROOT / "requirements-app.txt").read_text()) if "nodejs" in p]
    assert f"node:{line.split('==')[1]}-" in (DEPLOY / "Dockerfile").read_text()


def test_the_last_stage_runs_as_a_user_without_rights_and_says_when_it_is_ready():
    last = [name for name, _ in instructions()][::-1].index("FROM")
    final = dict(instructions()[-last:])
    assert final["USER"].isdigit() and int(final["USER"]) > 1000
    assert final["EXPOSE"] == "8000"
    check = final["HEALTHCHECK"]
    assert "http://127.0.0.1:8000/api/ready" in check and "--start-period" in check


def test_command_is_one_that_newsreco_knows():
    [command] = [argument for name, argument in instructions() if name == "CMD"]
    words = re.findall(r'"([^"]*)"', command)
    arguments = make_parser().parse_args(words[1:])
    assert (words[0], arguments.command, arguments.port) == ("newsreco", "serve", 8000)
    assert arguments.host == "0.0.0.0" and not arguments.demo


def test_no_secret_is_in_the_image():
    text = (DEPLOY / "Dockerfile").read_text()
    assert not re.search(r"KEY|PASSWORD|TOKEN|SECRET", text, re.IGNORECASE)
    assert not any(name in ("ARG", "ADD") for name, _ in instructions())
