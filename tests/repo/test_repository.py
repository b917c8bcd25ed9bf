"""What the files of the repository promise each other."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from conventions import MACHINE_PATH, pictures_without_alt
from execute import FOLDERS, ROOT, all_notebooks, notebooks_in, relative
from links import anchors, broken_links, read_text

LARGEST = 2_000_000
# The address where a text names this repository: to clone it, or as a badge.
ADDRESS = re.compile(r"(?<=git clone )https://[^\s`]+|https://github\.com/[\w/.-]+(?=/actions/)")
SHORT_OF_TEXT = {".png", ".svg", ".npz", ".gz", ".zip", ".woff2", ".ico", ".ipynb"}


def repository_files() -> list[Path]:
    """What git holds or would hold."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def table_of_contents() -> list[str]:
    """The pages of _toc.yml, in order, without their suffixes."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    return [toc["root"], *chapters]


def pages() -> list[Path]:
    """Everything that is read as Markdown: the book, the README and its neighbours."""
    return [
        *sorted(ROOT.glob("*.md")),
        *sorted(ROOT.glob("book/*.md")),
        *sorted(ROOT.glob("data/*.md")),
        *all_notebooks(),
    ]


def makefile_targets() -> set[str]:
    rules = re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), flags=re.M)
    return set(rules)


def pins(name: str) -> dict[str, str]:
    """package -> version, from the lines of a requirements file that pin one."""
    lines = (ROOT / name).read_text().splitlines()
    found = [re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;#]+)", line) for line in lines]
    return {re.sub(r"[-_.]+", "-", m[1]).lower(): m[2] for m in found if m}


def test_table_of_contents_lists_every_page_once():
    listed = table_of_contents()
    present = {relative(p.with_suffix("")) for p in [*all_notebooks(), *ROOT.glob("book/*.md")]}
    assert len(listed) == len(set(listed)), "a page stands twice in _toc.yml"
    assert set(listed) - present == set(), "in _toc.yml, but there is no such file"
    assert present - set(listed) == set(), "a page that _toc.yml does not list"


def test_the_capstone_s_notebooks_are_a_part_of_their_own():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    listed = {p["caption"]: [c["file"] for c in p["chapters"]] for p in parts}
    present = [relative(path.with_suffix("")) for path in notebooks_in(FOLDERS[1])]
    assert listed.get("V Capstone", []) == ["book/capstone", *present]


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_links_lead_somewhere(page):
    labels = frozenset().union(*(anchors(p) for p in pages()))
    broken = broken_links(read_text(page), page, labels)
    assert not broken, f"{relative(page)}: " + "; ".join(broken)


@pytest.mark.parametrize("page", [p for p in pages() if p.suffix == ".md"], ids=relative)
def test_pictures_have_alt_text(page):
    assert pictures_without_alt(page.read_text()) == []


def test_no_file_is_large():
    large = [relative(p) for p in repository_files() if p.stat().st_size > LARGEST]
    assert not large, f"over {LARGEST:,} bytes; data belongs in data/cache, which git ignores"


def test_no_file_names_a_machine():
    found = [
        f"{relative(path)}: {match.group()}"
        for path in repository_files()
        if path.suffix not in SHORT_OF_TEXT
        and (match := MACHINE_PATH.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert not found


def test_the_search_for_machine_paths_finds_them():
    assert MACHINE_PATH.search("see /" + "home/me/x") and MACHINE_PATH.search("(/" + "Users/me)")
    assert not MACHINE_PATH.search("https://example.org/home/me and ../work/x")


def test_readme_names_the_two_commands():
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"^make book\b", readme, flags=re.M)
    assert re.search(r"^make test\b", readme, flags=re.M)


def test_the_example_of_the_readme_runs():
    (example,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)
    command = [sys.executable, "-W", "error", "-c", example]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "recall@10" in done.stdout


def test_help_lists_every_target():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^\s+make (\S+)\s+\S", shown.stdout, flags=re.M))
    assert listed == makefile_targets()


def test_versions_agree():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert (
        f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
        or "-dev" in version
        or ("## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text())
    )


def test_the_repository_has_one_address():
    address = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert config["repository"]["url"] == citation["repository-code"] == address
    copies = [
        copy
        for path in repository_files()
        if path.suffix in {".md", ".ipynb"}
        for copy in ADDRESS.findall(path.read_text(encoding="utf-8"))
    ]
    assert set(copies) == {address}
    binder = f"https://mybinder.org/v2/gh/{address.removeprefix('https://github.com/')}/"
    assert binder in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(p.name for p in ROOT.glob("requirements*.txt")))
def test_requirements_are_exact_and_agree_with_the_constraints(name):
    lines = (ROOT / name).read_text().splitlines()
    packages = [line for line in lines if line.strip() and line[0] not in "#-"]
    assert len(packages) == len(pins(name)), "every requirement is pinned with =="
    constraints = pins("constraints.txt")
    assert {k: constraints.get(k, v) for k, v in pins(name).items()} == pins(name)


def test_the_book_needs_the_books_requirements_only():
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^book:.*\n((?:\t.*\n)+)", makefile, flags=re.M)[1]
    assert re.findall(r"\$\(SETUP\) (\S+)", recipe) == ["requirements.txt"]
    assert not re.search(r"^-r", (ROOT / "requirements.txt").read_text(), flags=re.M)


@pytest.mark.parametrize("changed", ["b.txt", "c.txt", "constraints.txt", "pyproject.toml"])
def test_setup_notices_a_change_in_an_included_file(tmp_path, changed):
    setup = (ROOT / "scripts/setup.sh").read_text()
    functions = "\n".join(
        re.search(rf"^{name}\(\) \{{\n.*?^\}}$", setup, flags=re.M | re.S)[0]
        for name in ("included", "fingerprint")
    )
    for name, text in {"a.txt": "-r b.txt\n", "b.txt": "-r c.txt\nx\n"}.items():
        (tmp_path / name).write_text(text)
    for name in ("c.txt", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).touch()

    def fingerprint():
        command = ["sh", "-euc", f"{functions}\nfingerprint a.txt"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    before = fingerprint()
    assert fingerprint() == before
    (tmp_path / changed).write_text("-r c.txt\ny\n" if changed == "b.txt" else "y\n")
    assert fingerprint() != before


def test_workflow_tests_the_pythons_that_setup_accepts():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    setup = (ROOT / "scripts/setup.sh").read_text()
    named = re.search(r"for candidate in ([^;]+);", setup)[1].split()
    assert {f"python{v}" for v in tested} == {n for n in named if "." in n}
