"""Customers who take the steps of a wave over HTTP, ask again until they are answered, and remember what they hear."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final
from urllib.parse import quote

import httpx

from api.auth import hash_of
from proof.asking import ADDRESS, CUSTOMER, Told
from proof.memory import Adjustment, Hold, Memory, Refusal
from proof.plan import Step

ANSWER_SECONDS: Final = 60
"""What has no answer by then never gets one."""
TRY_SECONDS: Final = 8
AGAIN: Final = (429, 502, 503, 504)


class Customers:
    """All customers of a run. `urls` are of the same shop; `staff` is an API key and its id. `counts`: acted, refused,
    tries.
    """

    def __init__(self, urls: Sequence[str], staff: tuple[str, str], seed: int) -> None:
        key, self._staff_id = staff
        self._urls, self._staff = urls, {"authorization": f"Bearer {key}"}
        self._draw = Random(seed)  # noqa: S311 - a test's dice
        self._number = 0
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=20)
        self._client = httpx.AsyncClient(timeout=TRY_SECONDS, limits=limits)
        self.counts: Counter[str] = Counter()

    async def close(self) -> None:
        await self._client.aclose()

    async def go(self, phase: Sequence[Sequence[Step]], memory: Memory, variants: Sequence[str]) -> None:
        """Let all customers of a phase take their steps; what was acknowledged is in `memory` afterwards."""
        await asyncio.gather(*[self._one(steps, memory, variants) for steps in phase])

    async def _one(self, steps: Sequence[Step], memory: Memory, variants: Sequence[str]) -> None:
        last: dict[str, str] = {}
        for step in steps:
            pieces = {variants[article]: count for article, count in step.pieces.items()}
            take = getattr(self, f"_{step.kind}")
            if await take(step, pieces, memory, last) is False:
                return

    async def _wait(self, step: Step, *_: Any) -> None:
        await asyncio.sleep(step.seconds)

    async def _buy(self, step: Step, pieces: dict[str, int], memory: Memory, last: dict[str, str]) -> bool:
        key, lines = self._key(), [{"variant_id": one, "quantity": count} for one, count in pieces.items()]
        body = {"lines": lines, "customer": CUSTOMER, "shipping_address": ADDRESS}
        told = await asyncio.gather(*[self._told("POST", "/checkout", body, key) for _ in range(step.copies)])
        return any([self._placed(one, key, pieces, memory, last) for one in told])

    async def _cart(self, step: Step, pieces: dict[str, int], memory: Memory, last: dict[str, str]) -> bool:
        """A guest's cart, filled line by line and checked out."""
        while True:
            cart = await self._told("POST", "/carts", {}, self._key())
            if not self._expected(cart, memory, 201):
                return False
            if cart.body["token"] is not None:
                break  # else it was told once, and that answer was lost: make another
        token = {"x-cart-token": cart.body["token"]}
        path = f"/carts/{cart.body['id']}/items"
        for variant, count in pieces.items():
            line = {"variant_id": variant, "quantity": count}
            if not self._expected(await self._told("POST", path, line, self._key(), token), memory, 201):
                return False
        key, body = self._key(), {"cart_id": cart.body["id"], "customer": CUSTOMER, "shipping_address": ADDRESS}
        told = await self._told("POST", "/checkout", body, key, token)
        return self._placed(told, key, pieces, memory, last, f"cart:{hash_of(cart.body['token'])}")

    async def _cancel(self, step: Step, pieces: dict[str, int], memory: Memory, last: dict[str, str]) -> None:
        """Several clicks, each a request of its own: one is done, the others find the order changed."""
        order = memory.orders[last["order"]]
        order.cancelling = True
        path = f"/orders/{last['order']}/cancel?phone={quote(CUSTOMER['phone'])}"
        clicks = [self._told("POST", path, {}, self._key(), {"if-match": '"1"'}) for _ in range(step.copies)]
        told = await asyncio.gather(*clicks)
        order.cancelled = any([self._expected(one, memory, 200, refusals=(409, 412)) for one in told])
        if not order.cancelled:
            memory.wrong.append(f"no click cancelled order {last['order']}: {told[0].status} {told[0].code}")
        order.cancelling = False

    async def _hold(self, step: Step, pieces: dict[str, int], memory: Memory, last: dict[str, str]) -> bool:
        [(variant, count)] = pieces.items()
        key, body = self._key(), {"variant_id": variant, "quantity": count, "expires_in": int(step.seconds)}
        told = await self._told("POST", "/stock/reservations", body, key, self._staff)
        if not self._expected(told, memory, 201, refusals=(409,)):
            memory.refused.append(Refusal("hold", pieces, key, self._staff_id))
            return False
        last["hold"] = told.body["id"]
        memory.holds[told.body["id"]] = Hold(variant, count)
        return True

    async def _release(self, step: Step, pieces: dict[str, int], memory: Memory, last: dict[str, str]) -> None:
        """Whoever is told 409 does not know whether the hold was released by an earlier try, or its time was over."""
        path = f"/stock/reservations/{last['hold']}"
        clicks = [self._told("DELETE", path, None, None, self._staff) for _ in range(step.copies)]
        told = await asyncio.gather(*clicks)
        done = sum([self._expected(one, memory, 204, refusals=(409,)) for one in told])
        memory.holds[last["hold"]].released = done > 0
        if done > 1:
            memory.wrong.append(f"hold {last['hold']} was released {done} times")

    async def _adjust(self, step: Step, pieces: dict[str, int], memory: Memory, last: dict[str, str]) -> None:
        [(variant, delta)] = pieces.items()
        key, body = self._key(), {"variant_id": variant, "delta": delta, "reason": "adjustment"}
        clicks = [self._told("POST", "/stock/adjustments", body, key, self._staff) for _ in range(step.copies)]
        for told in await asyncio.gather(*clicks):
            if self._expected(told, memory, 201, refusals=(409,)):
                memory.adjustments[told.body["id"]] = Adjustment(variant, delta)
            else:
                memory.refused.append(Refusal("adjustment", pieces, key, self._staff_id))

    def _placed(
        self, told: Told, key: str, pieces: Mapping[str, int], memory: Memory, last: dict[str, str],
        scope: str = "anonymous",
    ) -> bool:  # fmt: skip
        if not self._expected(told, memory, 201, refusals=(409,)):
            memory.refused.append(Refusal("order", pieces, key, scope))
            return False
        last["order"] = told.body["id"]
        memory.placed(key, told.body["id"], pieces, scope)
        return True

    def _expected(self, told: Told, memory: Memory, status: int, refusals: tuple[int, ...] = ()) -> bool:
        """Whether it was done. A refusal is counted, anything else is remembered as wrong."""
        if told.status == status:
            return True
        if told.status in refusals:
            self.counts["refused"] += 1
        else:
            memory.wrong.append(f"answered {told.status} {str(told.body)[:300]}")
        return False

    def _key(self) -> str:
        self._number += 1
        return f"prove-{self._number}-{self._draw.getrandbits(64):016x}"

    async def _told(
        self, method: str, path: str, body: Any, key: str | None, headers: Mapping[str, str] | None = None
    ) -> Told:
        """The answer, asked for again and again with the same key. Status 0 if there is none in a minute."""
        sent = {**(headers or {}), **({"idempotency-key": key} if key else {})}
        self.counts["acted"] += 1
        patience, last = time.monotonic() + ANSWER_SECONDS, ""
        while time.monotonic() < patience:
            self.counts["tries"] += 1
            try:
                url = self._draw.choice(self._urls) + path
                answer = await self._client.request(method, url, json=body, headers=sent)
                if answer.status_code not in AGAIN:
                    told = json.loads(answer.content or b"null")
                    code = told.get("code") if isinstance(told, dict) else None
                    return Told(answer.status_code, code, told, dict(answer.headers))
                last = f"{answer.status_code} {answer.text[:200]}"
            except (httpx.HTTPError, ValueError) as error:
                last = f"{type(error).__name__}: {error}"
            await asyncio.sleep(self._draw.uniform(0.01, 0.15))
        return Told(0, None, f"no answer in {ANSWER_SECONDS} s, at last {last}", {})
