"""The rules that every chapter keeps, as pure functions.

A check takes a notebook (as nbformat reads it) and returns what is wrong with it, one
sentence each, naming the cell; an empty list where all is well. `CHECKS` lists them all.
"""

import re
from collections.abc import Iterator

import nbformat

ALLOWED_TAGS = {
    "parameters",
    "hide-input",
    "hide-output",
    "hide-cell",
    "remove-input",
    "remove-cell",
    "remove-output",
    "raises-exception",
}
CELLS = (25, 45)
WORDS = (1_000, 2_500)
MOST_CODE_LINES = 20
PAGE_WIDTH = 88  # columns of code that a page of the book shows

# Built from pieces, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/])/(?:" + "|".join(["home", "Users", "root", "work", "mnt", "private"]) + r")/\w"
    r"|[A-Z]:\\Users\\"
)
NOISE = {
    "a memory address": re.compile(r"\bat 0x[0-9a-fA-F]+"),
    "a bare object": re.compile(r"^\[?<(?:matplotlib|Axes|IPython|function|built-in)\b", re.M),
    "a progress bar": re.compile(r"\d+%\|| ?\d+(?:\.\d+)?(?:it/s|s/it)\b"),
    "a timing": re.compile(r"Wall time|CPU times|\bper loop\b|\d ?(?:ms|µs)\b"),
    "a warning": re.compile(r"\b\w*Warning\b"),
    "a path of a temporary folder": re.compile(r"(?<![\w.])/(?:tmp|var/folders)/"),
    "a path of one machine": MACHINE_PATH,
}

# What loads data that is not in the repository, and how a chapter declares it.
IMPORTS = {
    package: rf"^\s*(?:import\s+|from\s+|from recsys import (?:.*\b)?)(?:{modules})\b"
    for package, modules in {
        "torch": r"torch|(?:recsys\.)?neural",
        "safetensors": "safetensors",
        "optuna": "optuna",
        "dvc": "dvc",
        "pyspark": r"pyspark|(?:recsys\.)?spark",
    }.items()
}  # package -> what a chapter imports that needs it
DATA = {"load_movielens": "movielens/latest-small", "load_open_bandit": "open-bandit/random/men"}

Notebook = nbformat.NotebookNode


def where(number: int, cell: Notebook) -> str:
    """How a message names a cell: its place, counted from 1, and its first words."""
    first = next(iter(cell.source.strip().splitlines()), "empty")
    return f"cell {number} ({first[:40]!r})"


def code_cells(notebook: Notebook) -> Iterator[tuple[int, Notebook]]:
    """(place, cell) of the code cells."""
    return ((n, c) for n, c in enumerate(notebook.cells, 1) if c.cell_type == "code")


def markdown_cells(notebook: Notebook) -> Iterator[tuple[int, Notebook]]:
    """(place, cell) of the text cells."""
    return ((n, c) for n, c in enumerate(notebook.cells, 1) if c.cell_type == "markdown")


def without_code(text: str) -> str:
    """Markdown less its comments, code and formulas; what directives hold is kept."""
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.S)
    code = r"^(`{3,}|~{3,})[ \t]*(?!\{(?!code|math|literalinclude|raw))[^\n]*\n.*?^\1[ \t]*$"
    text = re.sub(code, " ", text, flags=re.S | re.M)
    text = re.sub(r"\$\$.*?\$\$", " ", text, flags=re.S)
    return re.sub(r"`[^`\n]*`|\$[^$\n]+\$", " ", text)


def headings(notebook: Notebook) -> list[tuple[int, str]]:
    """(level, title) of every heading, in order."""
    found = []
    for _, cell in markdown_cells(notebook):
        for line in re.findall(r"^(#{1,6})[ \t]+(.+)$", without_code(cell.source), flags=re.M):
            found.append((len(line[0]), line[1].strip()))
    return found


def words(notebook: Notebook) -> int:
    """Words of prose: no code, no formulas, no markup."""
    text = "\n".join(without_code(cell.source) for _, cell in markdown_cells(notebook))
    text = re.sub(r"^\s*(?::[\w-]+:.*|[`:~]{3,}.*)$", " ", text, flags=re.M)
    text = re.sub(r"\]\([^)]*\)|\{[\w:-]+\}", " ", text)
    return len(re.findall(r"[^\W\d_][\w'’-]*", text))


def text_of(output: Notebook) -> str:
    """The text a reader sees in an output."""
    if output.output_type == "stream":
        return output.text
    data = output.get("data", {})
    return "\n".join(str(data[kind]) for kind in data if kind.startswith("text/"))


def check_format(notebook: Notebook) -> list[str]:
    """Valid, with cell ids, for the kernel that every Jupyter has."""
    problems = []
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        problems.append("the format is older than 4.5, which brought the cell ids")
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        problems.append(f"not a valid notebook: {str(error).splitlines()[0]}")
    kernel = notebook.metadata.get("kernelspec", {}).get("name")
    if kernel != "python3":
        problems.append(f"the kernel must be 'python3', not {kernel!r}; run `make notebooks`")
    return problems


def check_ids(notebook: Notebook) -> list[str]:
    """Every cell has an id of its own."""
    ids = [cell.get("id") for cell in notebook.cells]
    return [
        f"{where(n, cell)}: the id {cell.get('id')!r} is missing or taken"
        for n, cell in enumerate(notebook.cells, 1)
        if not cell.get("id") or ids.index(cell.id) != n - 1
    ]


def check_executed(notebook: Notebook) -> list[str]:
    """The code cells were run from a fresh kernel, once, in order."""
    return [
        f"{where(n, cell)}: execution count {cell.execution_count}, expected {expected}; "
        "run `make notebooks`"
        for expected, (n, cell) in enumerate(code_cells(notebook), 1)
        if cell.execution_count != expected
    ]


def check_outputs(notebook: Notebook) -> list[str]:
    """No errors, no stderr, nothing that differs from one run or machine to the next."""
    problems = []
    for n, cell in code_cells(notebook):
        for output in cell.outputs:
            if output.get("name") == "stderr":
                problems.append(f"{where(n, cell)}: wrote to stderr")
            if output.output_type == "error":
                if "raises-exception" not in cell.metadata.get("tags", []):
                    problems.append(f"{where(n, cell)}: failed with {output.ename}")
                continue
            text = text_of(output)
            problems += [
                f"{where(n, cell)}: the output holds {name}: {found.group()!r}"
                for name, pattern in NOISE.items()
                if (found := pattern.search(text))
            ]
    return problems


def check_tags(notebook: Notebook) -> list[str]:
    """Tags come from a short list; none switches a comparison off."""
    problems = [
        f"{where(n, cell)}: the tag {tag!r} is not one of {', '.join(sorted(ALLOWED_TAGS))}"
        for n, cell in enumerate(notebook.cells, 1)
        for tag in cell.metadata.get("tags", [])
        if tag not in ALLOWED_TAGS
    ]
    tagged = [
        n for n, cell in code_cells(notebook) if "parameters" in cell.metadata.get("tags", [])
    ]
    if len(tagged) != 1:
        problems.append(f"exactly one code cell has the tag 'parameters'; found {len(tagged)}")
    if re.search(r"#\s*NBVAL_", "\n".join(cell.source for cell in notebook.cells)):
        problems.append("an NBVAL_ comment switches the comparison of an output off")
    return problems


def check_code(notebook: Notebook) -> list[str]:
    """Short cells that say something, and install nothing."""
    problems = []
    for n, cell in code_cells(notebook):
        lines = len(cell.source.splitlines())
        if not cell.source.strip():
            problems.append(f"{where(n, cell)}: an empty code cell")
        if lines > MOST_CODE_LINES:
            problems.append(f"{where(n, cell)}: {lines} lines, at most {MOST_CODE_LINES}")
        if re.search(r"^\s*[!%]+\s*(?:\w+\s+-m\s+)?(?:pip|conda|uv)\b", cell.source, flags=re.M):
            problems.append(f"{where(n, cell)}: installs something; `make` does that")
    return problems


def check_width(notebook: Notebook) -> list[str]:
    """Code fits the page: the cells' own, and the source that `recsys.show` displays."""
    problems = []
    for n, cell in code_cells(notebook):
        shown = [output.get("data", {}).get("text/markdown", "") for output in cell.outputs]
        blocks = re.findall(r"^```python\n(.*?)^```", "\n".join(shown), flags=re.S | re.M)
        problems += [
            f"{where(n, cell)}: {len(line)} columns of code, at most {PAGE_WIDTH}: {line.strip()!r}"
            for line in "\n".join([cell.source, *blocks]).splitlines()
            if len(line) > PAGE_WIDTH
        ]
    return problems


def check_output_width(notebook: Notebook) -> list[str]:
    """Printed text fits the page; tables and pictures fit themselves to it."""
    problems = []
    for n, cell in code_cells(notebook):
        for output in cell.outputs:
            printed = output.get("data", {"text/plain": output.get("text", "")})
            if set(printed) <= {"text/plain"}:
                problems += [
                    f"{where(n, cell)}: {len(line)} columns printed, at most {PAGE_WIDTH}: {line!r}"
                    for line in printed.get("text/plain", "").splitlines()
                    if len(line) > PAGE_WIDTH
                ]
    return problems


def check_size(notebook: Notebook) -> list[str]:
    """As long as a lesson."""
    problems = []
    if not CELLS[0] <= len(notebook.cells) <= CELLS[1]:
        problems.append(f"{len(notebook.cells)} cells; a chapter has {CELLS[0]} to {CELLS[1]}")
    if not WORDS[0] <= words(notebook) <= WORDS[1]:
        problems.append(f"{words(notebook)} words of prose; a chapter has {WORDS[0]} to {WORDS[1]}")
    return problems


def check_skeleton(notebook: Notebook) -> list[str]:
    """One title at the top, no level of heading left out, a summary and exercises."""
    problems = []
    found = headings(notebook)
    first = notebook.cells[0] if notebook.cells else None
    if not first or first.cell_type != "markdown" or not first.source.startswith("# "):
        problems.append("the first cell must be text and begin with '# Title'")
    if sum(level == 1 for level, _ in found) != 1:
        problems.append("there must be exactly one heading of level 1")
    for (above, _), (level, title) in zip(found, found[1:]):
        if level > above + 1:
            problems.append(f"the heading {title!r} jumps from level {above} to {level}")
    for name in ("Summary", "Exercises"):
        if not any(level == 2 and name.lower() in title.lower() for level, title in found):
            problems.append(f"a section '## {name}' is missing")
    return problems


def check_figures(notebook: Notebook) -> list[str]:
    """Every picture has words for who cannot see it."""
    problems = []
    for n, cell in code_cells(notebook):
        images = any(
            kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {})
        )
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if images and len(alt.split()) < 3:
            problems.append(
                f"{where(n, cell)}: the figure has no alt text; in the cell's metadata write "
                '"mystnb": {"image": {"alt": "what the figure shows"}}'
            )
    for n, cell in markdown_cells(notebook):
        problems += [
            f"{where(n, cell)}: {problem}" for problem in pictures_without_alt(cell.source)
        ]
    return problems


def pictures_without_alt(text: str) -> list[str]:
    """Pictures in Markdown, as ![](file) or as a figure directive, that no words describe."""
    bare = [
        f"the picture {target} has no alt text" for target in re.findall(r"!\[\]\(([^)]+)\)", text)
    ]
    block = r"^([`:]{3,})\{(?:figure|image)\}[ \t]*(\S+)[ \t]*\n(.*?)^\1[ \t]*$"
    for _, target, body in re.findall(block, text, flags=re.S | re.M):
        if not re.search(r"^:alt:[ \t]*\S", body, flags=re.M):
            bare.append(f"the picture {target} has no :alt: text")
    return bare


def check_data(notebook: Notebook) -> list[str]:
    """What a chapter downloads is declared, so that its absence is reported by name."""
    source = "\n".join(cell.source for _, cell in code_cells(notebook))
    declared = notebook.metadata.get("recsys", {}).get("data", [])
    for loader, example in DATA.items():
        family = example.partition("/")[0]
        if loader in source and not any(d.startswith(f"{family}/") for d in declared):
            return [
                f"calls {loader} without declaring it; in the notebook's metadata write "
                f'"recsys": {{"data": ["{example}"]}}'
            ]
    return []


def check_packages(notebook: Notebook) -> list[str]:
    """Packages beyond the capstone's are declared, so that their absence is reported by name."""
    source = "\n".join(cell.source for _, cell in code_cells(notebook))
    declared = notebook.metadata.get("recsys", {}).get("packages", [])
    return [
        f"imports {package} without declaring it; in the notebook's metadata write "
        f'"recsys": {{"packages": ["{package}"]}}'
        for package, pattern in IMPORTS.items()
        if re.search(pattern, source, flags=re.M) and package not in declared
    ] + [f"declares the unknown package {name!r}" for name in declared if name not in IMPORTS]


CHECKS = [
    check_format,
    check_ids,
    check_executed,
    check_outputs,
    check_tags,
    check_code,
    check_width,
    check_output_width,
    check_size,
    check_skeleton,
    check_figures,
    check_data,
    check_packages,
]
