"""The repository's own files, as the contract tests read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PACKAGES: Final = ("api", "cli", "db", "doctor", "domain", "functions", "providers", "tests", "tools", "bench")


@cache
def python_files(*packages: str) -> tuple[Path, ...]:
    """The Python files of `packages` (all of ours by default), relative to the root."""
    found = (path for package in packages or PACKAGES for path in (ROOT / package).rglob("*.py"))
    return tuple(sorted(path.relative_to(ROOT) for path in found))


def handler_files() -> tuple[Path, ...]:
    """One file a function."""
    return tuple(path for path in python_files("functions") if path.name != "__init__.py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def lines_of(path: Path) -> list[str]:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


def imports_of(path: Path, *, at_import_only: bool = False) -> Iterator[tuple[int, str]]:
    """Line and dotted name of what a file imports; `from a import b` counts as `a.b`.

    With `at_import_only`, without what stands inside a function and runs later.
    """
    waiting: list[ast.AST] = [tree_of(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from ((node.lineno, f"{node.module}.{one.name}") for one in node.names)
        elif not (at_import_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            waiting += ast.iter_child_nodes(node)
