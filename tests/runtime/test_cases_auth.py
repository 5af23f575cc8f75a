"""The cases of accounts and sessions, held against the handlers of this process: each does what it says."""

import asyncio
from importlib import import_module

from api.database import database
from api.settings import settings
from cli import derive
from tests.functions.jobs.support import run
from tests.shop import LOOP, Shop
from tools.runtime.cases_auth import CASES, DUE, people
from tools.runtime.events import accepted, refused, sent, worked


def test_each_is_answered_as_it_says(shop: Shop) -> None:
    derive.load()
    asyncio.set_event_loop(LOOP)

    async def written() -> dict[str, str]:
        return await people(await database(settings()), settings().secret_key[0], 4)

    known = LOOP.run_until_complete(written())
    modules = {module.rpartition(".")[2]: module for module in derive.modules()}
    for case in CASES:
        handler = import_module(modules[case.function]).handler
        for ask in case.good:
            known.update(accepted(handler(sent(ask, known), None), case, ask))
        refused(handler(sent(case.bad, known), None), case)
    assert shop.get("/me/sessions", token=known["login"]).status == 200
    for due in DUE:
        if due.makes_due:
            shop.execute(due.makes_due.format_map(known))
        worked(run(due.function), due)
        worked(run(due.function), due, again=True)
    shop.checked()
