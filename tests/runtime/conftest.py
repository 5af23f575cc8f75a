"""A function is a Linux program, and its runtime client has no other builds: elsewhere these tests do not run."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]

from tools.engines.process import ROOT
from tools.runtime import proof, template
from tools.runtime.events import Ask, sent
from tools.runtime.sandbox import Function, Sandbox


class Running:
    """A seeded shop on a libSQL server, and the repository's own functions in front of it."""

    def __init__(self, shop: proof.Shop, folder: Path) -> None:
        text = (ROOT / "template.yaml").read_text(encoding="utf-8")
        self.shop = shop
        self.functions = template.functions(text, shop.secrets(), proof.PARAMETERS)
        self._folder = folder

    def sandbox(self, function: Function) -> Sandbox:
        return Sandbox(Path(sys.executable), ROOT / "artifact", function, self._folder / f"{function.name}.log")


@pytest.fixture(scope="session")
def libsql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("runtime")
    with proof.shop(folder) as shop:
        running = Running(shop, folder)
        box = running.sandbox(running.functions["create_product"])
        product = {"title": "Warm", "price": 1299, "status": "ACTIVE"}
        answer = made(box, shop, Ask("POST", "/products", product, {"authorization": "Bearer {api_key}"}))
        shop.known.update(product=answer["id"], variant=answer["variants"][0]["id"])
        stock = {"variant_id": "{variant}", "delta": 100, "reason": "receipt"}
        box = running.sandbox(running.functions["adjust_stock"])
        made(box, shop, Ask("POST", "/stock/adjustments", stock, {"authorization": "Bearer {api_key}"}))
        yield running


def made(box: Sandbox, shop: proof.Shop, ask: Ask) -> Any:
    """The body of a 201."""
    try:
        box.start()
        answer = box.invoke(sent(ask, shop.known)).value
        assert answer["statusCode"] == 201, answer
        return json.loads(answer["body"])
    finally:
        box.stop()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """A sandbox of a function written on the spot, ended afterwards."""
    boxes: list[Sandbox] = []

    def make(source: str, *, seconds: float = 5, environment: dict[str, str] | None = None) -> Sandbox:
        folder = tmp_path / f"task{len(boxes)}"
        folder.mkdir()
        (folder / "function.py").write_text(source, encoding="utf-8")
        function = Function("function", "function.handler", "python3.13", seconds, 512, environment or {})
        boxes.append(Sandbox(Path(sys.executable), folder, function, folder / "log"))
        return boxes[-1]

    yield make
    for box in boxes:
        box.stop()
