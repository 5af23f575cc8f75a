"""What a function does not load when it starts: each of these costs more than all of our own code."""

import os
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


IN_THE_CLOUD = {
    **os.environ,
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "SECRET_KEY": "for-tests-only-0123456789abcdef-0123456789abcdef",
}


@pytest.mark.parametrize("module", ["functions.checkout", "functions.jobs.expire_carts"])
@pytest.mark.parametrize("engine", ["libsql", "d1"])
def test_in_the_cloud_the_start_gets_the_engine_ready(module: str, engine: str) -> None:
    code = (
        f"import sys, {module}\nfrom db.engines import http\n"
        "print(http.certificates.cache_info().currsize, *sys.modules)"
    )
    environment = {**IN_THE_CLOUD, "DATABASE_URL": f"{engine}://shop.example/shop"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    certificates, *found = done.stdout.split()
    assert (certificates, f"db.engines.{engine}" in found) == ("1", True)
    assert not set(found) & {"sqlite3", "pysqlite3", "aiosqlite", "importlib.metadata"}


@pytest.mark.parametrize("module", ["functions.checkout", "functions.jobs.expire_carts"])
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY: 32 bytes or more"),
        ({"DATABASE_URL": "sqlite:////tmp/shop.db"}, "DATABASE_URL: a function keeps no file"),
    ],
)
def test_in_the_cloud_a_wrong_environment_is_refused_at_the_start(
    module: str, wrong: dict[str, str], told: str
) -> None:
    command = [sys.executable, "-c", f"import {module}"]
    done = subprocess.run(command, env={**IN_THE_CLOUD, **wrong}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SettingsError" in done.stderr and told in done.stderr
