"""Sizes, names and twins: what keeps a file readable in one sitting."""

from __future__ import annotations

import ast
import importlib
import re

import pytest

from api.endpoint import REGISTRY, Endpoint
from api.job import JOBS, Job
from cli import derive
from tests.contract.tree import ROOT, handler_files, lines_of, python_files, tree_of

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 400
HANDLER_LINES_MAX = 120
LINE_MAX = 120
LEFT_OVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|NotImplemented" r"Error|pytest\.(mark\.)?(skip|x" r"fail)")
TEXTS = (".py", ".sql", ".md", ".yaml", ".toml", ".sh")


def test_no_function_is_too_long() -> None:
    wrong = []
    for path in python_files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    wrong.append(f"{path}:{node.lineno} {node.name} has {length} lines")
    assert wrong == []


def test_no_module_is_too_long() -> None:
    wrong = [
        f"{path} has {len(lines_of(path))} lines" for path in python_files() if len(lines_of(path)) > MODULE_LINES_MAX
    ]
    assert wrong == []


def test_no_handler_file_is_too_long() -> None:
    wrong = [
        f"{path} has {len(lines_of(path))} lines" for path in handler_files() if len(lines_of(path)) > HANDLER_LINES_MAX
    ]
    assert wrong == []


def test_no_line_is_too_long() -> None:
    wrong = [
        f"{path}:{number} has {len(line)} characters"
        for path in python_files()
        for number, line in enumerate(lines_of(path), 1)
        if len(line) > LINE_MAX
    ]
    assert wrong == []


def test_nothing_is_left_for_later() -> None:
    folders = ("api", "cli", "db", "doctor", "domain", "functions", "providers", "tests", "tools", "bench", "docs")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in TEXTS]
    files += [path for path in ROOT.iterdir() if path.suffix in TEXTS]
    wrong = [
        f"{path.relative_to(ROOT)}:{number} {found[0]}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := LEFT_OVER.search(line))
    ]
    assert wrong == []


def test_every_file_is_one_function_named_like_it() -> None:
    derive.load()
    wrong = []
    for path in handler_files():
        module = importlib.import_module(".".join(path.with_suffix("").parts))
        declared = [name for name, value in vars(module).items() if isinstance(value, Endpoint | Job)]
        if declared != [path.stem]:
            wrong.append(f"{path} declares {declared}")
        if not callable(getattr(module, "handler", None)):
            wrong.append(f"{path} has no handler")
    assert wrong == []


def test_names_are_verb_and_noun_and_stand_once() -> None:
    names = [path.stem for path in handler_files()]
    assert len(names) == len(set(names))
    assert [name for name in names if "_" not in name] == ["checkout", "health"]


def test_docstrings_say_the_route_first() -> None:
    derive.load()
    wrong = [
        f"{one.module}: begins with {one.document.strip()[:40]!r}"
        for one in derive.endpoints()
        if not one.document.strip().startswith(f"{one.method} {one.path}: ")
    ]
    assert wrong == []


def test_every_function_has_its_test_twin() -> None:
    missing = [str(path) for path in handler_files() if not (ROOT / twin_of(str(path))).is_file()]
    assert missing == []


def test_every_declared_error_has_its_test() -> None:
    missing = []
    for one in derive.endpoints():
        path = "/".join(one.module.split(".")) + ".py"
        base = (ROOT / twin_of(path)).with_suffix("")
        texts = "".join(file.read_text(encoding="utf-8") for file in base.parent.glob(f"{base.name}*.py"))
        missing += [f"{path}: test_refuses_{code}" for code in one.errors if f"def test_refuses_{code}" not in texts]
    assert missing == []


@pytest.mark.parametrize("registry", [REGISTRY, JOBS])
def test_nothing_is_declared_outside_functions(registry: dict[str, Endpoint | Job]) -> None:
    derive.load()
    strangers = [one.module for one in registry.values() if not one.module.startswith(("functions.", "tests."))]
    assert strangers == []


def twin_of(path: str) -> str:
    """`functions/orders/cancel_order.py` is tested by `tests/functions/orders/test_cancel_order.py`."""
    folder, _, name = path.rpartition("/")
    return f"tests/{folder}/test_{name}"
