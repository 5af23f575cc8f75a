"""What a function does not load when it starts: each of these costs more than all of our own code."""

import subprocess
import sys

import pytest

NEEDLESS = ("importlib.metadata", "email.message", "sqlite3", "pysqlite3", "aiosqlite", "httpx", "starlette")


def loaded(module: str) -> set[str]:
    code = f"import sys, {module}\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("module", ["functions.checkout", "functions.catalog.list_products", "functions.health"])
def test_a_function_loads_only_what_it_needs(module: str) -> None:
    assert not loaded(module) & set(NEEDLESS)


def test_a_function_builds_its_request_and_nothing_else() -> None:
    code = (
        "import sys, functions.checkout as made\nfrom api.order_shapes import Order\nfrom api.lines import Line\n"
        "print(*[one.__pydantic_complete__ for one in (made.CheckoutRequest, Order, Line)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True False False\n"


def test_pydantic_s_own_plugins_are_left_alone_where_they_were_loaded_first() -> None:
    code = (
        "from pydantic import BaseModel\nclass First(BaseModel): x: int\nimport sys, functions.health\n"
        "print(sys.modules['pydantic.plugin._loader'].__spec__ is not None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
