"""Measure the structure of the packages: layers, import cycles, private names, function lengths.

Run as `python scripts/structure.py [ROOT]`. It reads the sources and imports nothing. An import
counts wherever it stands, inside a function too, except under `if TYPE_CHECKING:`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = {"recsys": "recsys", "newsreco": "capstone/newsreco"}
# Names that may cross a file in spite of the underscore: namedtuple's public ones, the one that
# argparse has for a type, and the methods that `Recommender.fit` and `score` leave to the models.
ALLOWED = {"_asdict", "_fields", "_make", "_replace", "_SubParsersAction", "_fit", "_scores"}
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
Graph = dict[str, set[str]]


@dataclass(frozen=True)
class Package:
    """The sources of one package, by module name."""

    name: str
    folder: Path

    @cached_property
    def sources(self) -> dict[str, str]:
        paths = sorted(self.folder.rglob("*.py"))
        return {self._module(path): path.read_text(encoding="utf-8") for path in paths}

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        return {module: ast.parse(source) for module, source in self.sources.items()}

    @cached_property
    def imports(self) -> Graph:
        """The modules of the package that each module imports."""
        return {m: set(_imports(tree, self.trees)) - {m} for m, tree in self.trees.items()}

    @property
    def entries(self) -> list[str]:
        """Files and folders at the top, except `__init__.py` and the like, and py.typed."""
        names = sorted(path.name for path in self.folder.iterdir() if path.name != "py.typed")
        return [name for name in names if not name.startswith(("__", "."))]

    @property
    def cycles(self) -> list[list[str]]:
        """Groups of modules of which each imports, directly or not, all others."""
        return [sorted(group) for group in components(self.imports) if len(group) > 1]

    @property
    def n_layers(self) -> int:
        """Length of the longest chain of imports between top-level entries."""
        graph: Graph = {}
        for module, targets in self.imports.items():
            if module != self.name:
                tops = {_top(target) for target in targets - {self.name}}
                graph.setdefault(_top(module), set()).update(tops - {_top(module)})
        depth: dict[str, int] = {}
        for group in components(graph):
            below = [depth[target] for node in group for target in graph[node] - group]
            depth |= dict.fromkeys(group, 1 + max(below, default=0))
        return max(depth.values(), default=0)

    @property
    def private(self) -> list[str]:
        """Private names that cross a file, as "module: expression"."""
        return [f"{m}: {use}" for m, tree in self.trees.items() for use in _private_uses(tree)]

    @property
    def functions(self) -> list[tuple[int, str]]:
        """Lines of each function without its docstring, and its name; the longest first."""
        nodes = ((m, node) for m, tree in self.trees.items() for node in ast.walk(tree))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        found = [
            (_length(node), f"{m}.{node.name}") for m, node in nodes if isinstance(node, kinds)
        ]
        return sorted(found, key=lambda pair: (-pair[0], pair[1]))

    @property
    def n_lines(self) -> int:
        return sum(len(source.splitlines()) for source in self.sources.values())

    def _module(self, path: Path) -> str:
        parts = path.relative_to(self.folder).with_suffix("").parts
        return ".".join([self.name, *(part for part in parts if part != "__init__")])


def components(graph: Graph) -> list[set[str]]:
    """Strongly connected components (Tarjan 1972), each after those that it points to."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in index:
                visit(target)
            if target in stack:
                low[node] = min(low[node], low[target])
        if low[node] == index[node]:
            start = stack.index(node)
            found.append(set(stack[start:]))
            del stack[start:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def _top(module: str) -> str:
    return module.split(".")[1]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING:`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield from _walk(child)


def _imports(tree: ast.Module, modules: dict[str, ast.Module]) -> Iterator[str]:
    for node in _walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else node.module for name in full)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in ALLOWED


def _private_uses(tree: ast.Module) -> Iterator[str]:
    """Imports of private names, and private attributes of objects from other files.

    An attribute counts unless this file defines one of that name, or the object is `self`, `cls`,
    `super()` or made by `cls(...)`.
    """
    own, objects = _defined(tree), {"self", "cls", "super()"} | set(_made_by_cls(tree))
    for node in _walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            if any(_is_private(part) for name in names for part in name.split(".")):
                yield ast.unparse(node)
        elif isinstance(node, ast.Attribute) and _is_private(node.attr):  # noqa: SIM102
            if node.attr not in own and ast.unparse(node.value) not in objects:
                yield ast.unparse(node)


def _made_by_cls(tree: ast.Module) -> Iterator[str]:
    """Variables that hold an object of the class itself: x = cls(...)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("cls("):
            yield from map(ast.unparse, node.targets)


def _defined(tree: ast.Module) -> set[str]:
    """Names that a file defines: functions, classes, variables, and attributes of `self`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, FUNCTION | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return names


def _length(function: FUNCTION) -> int:
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def main(root: Path) -> None:
    """Print the measurements of each package."""
    for name, folder in PACKAGES.items():
        package = Package(name, root / folder)
        (longest, function), *_ = package.functions
        print(f"{name}: {package.n_lines:,} lines in {len(package.sources)} files")
        print(f"  entries at the top: {len(package.entries)}")
        print(f"  layers between them: {package.n_layers}")
        print(
            f"  import cycles: {len(package.cycles)}, of {list(map(len, package.cycles))} modules"
        )
        print(f"  private names that cross files: {len(package.private)}")
        print(f"  longest function: {function}, {longest} lines without its docstring")
        print(f"  functions over 30 lines: {sum(n > 30 for n, _ in package.functions)}")
        for title, rows in (("cycle", package.cycles), ("private", package.private)):
            for row in rows:
                print(f"    {title}: {row if isinstance(row, str) else ', '.join(row)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])
