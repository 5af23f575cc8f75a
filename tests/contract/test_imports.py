"""Who may import whom, and what a function drags in when it starts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.tree import PACKAGES, ROOT, handler_files, imports_of, python_files

MAY_IMPORT = {
    "functions": {"api", "domain", "db", "providers"},
    "api": {"api", "domain", "db"},
    "domain": {"domain"},
    "db": {"db"},
    "doctor": {"doctor", "db"},
    "providers": {"providers", "db"},
}
# What runs in a function: the standard library and these, at import.
LIGHT = {"pydantic", "pydantic_core", "mangum", "typing_extensions"}
FUNCTION_CODE = [
    *python_files("functions", "api", "domain", "db/statements", "providers"),
    Path("db/helper.py"),
    Path("db/sql.py"),
]
HEAVY = (
    "bcrypt",
    "jwt",
    "pyotp",
    "smtplib",
    "email.message",
    "httpx",
    "starlette",
    "uvicorn",
    "sqlite_utils",
    "aiosqlite",
    "pysqlite3",
    "sqlite3",
    "yaml",
)

# Forks one child a function: each starts from the same floor, and nothing of one reaches the next.
PROBE = """
import importlib, json, os, sys
import mangum, pydantic
heavy = json.loads(sys.argv[1])
floor = [name for name in heavy if name in sys.modules]
for module in json.loads(sys.argv[2]):
    if os.fork() == 0:
        importlib.import_module(module)
        found = [name for name in heavy if name in sys.modules]
        print(json.dumps([module, found]), flush=True)
        os._exit(0)
    _, status = os.wait()
    if status:
        print(json.dumps([module, ["could not be imported"]]), flush=True)
print(json.dumps(["floor", floor]))
"""


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_one_way(package: str) -> None:
    wrong = [
        f"{path}:{line} imports {name}"
        for path in python_files(package)
        for line, name in imports_of(path)
        if name.partition(".")[0] in PACKAGES and name.partition(".")[0] not in MAY_IMPORT[package]
    ]
    assert wrong == []


def test_no_function_imports_another() -> None:
    wrong = [
        f"{path}:{line} imports {name}"
        for path in handler_files()
        for line, name in imports_of(path)
        if name.startswith("functions")
    ]
    assert wrong == []


def test_function_code_imports_only_what_is_light() -> None:
    allowed = {*sys.stdlib_module_names, *LIGHT, "api", "db", "domain", "providers"}
    wrong = [
        f"{path}:{line} imports {name}"
        for path in FUNCTION_CODE
        for line, name in imports_of(path, at_import_only=True)
        if name.partition(".")[0] not in allowed
    ]
    assert wrong == []


def test_no_function_loads_a_heavy_module_at_import() -> None:
    modules = [".".join(path.with_suffix("").parts) for path in handler_files()]
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(HEAVY), json.dumps(modules)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = dict(json.loads(line) for line in ran.stdout.splitlines())
    assert found.keys() == {*modules, "floor"}
    assert {module: heavy for module, heavy in found.items() if heavy} == {}, ran.stderr


def test_openapi_is_not_derived_while_serving() -> None:
    wrong = [
        f"{path}:{line} imports {name}"
        for path in python_files("functions", "api", "db", "domain", "providers")
        for line, name in imports_of(path)
        if name.startswith("api.openapi") and path.name not in ("openapi.py", "openapi_parts.py")
    ]
    assert wrong == []
