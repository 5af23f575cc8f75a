"""Tries at a password or a code: counted before they are judged, by whose they are and by where they come from."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from api import trail
from api.problems import Problem
from api.rate_limit import Limit
from db.sql import Statement

if TYPE_CHECKING:
    from api.call import Call
    from db.helper import Row

BY_EMAIL: Final = Limit("login", quota=5, seconds=900)
BY_ADDRESS: Final = Limit("address", quota=50, seconds=900)
TO_EMAIL: Final = Limit("mail", quota=3, seconds=3600)
MAILS_OF_ADDRESS: Final = Limit("mails", quota=50, seconds=900)
EVEN_SECONDS: Final = 0.02
"""Answers that must not tell by their time how much was written go out at whole multiples of this."""


def network_of(call: Call) -> str:
    """Where a client comes from: its address, of IPv6 the first 64 bits, because whoever has one has all of those."""
    text = call.asked.ip_address or ""
    if ":" not in text:
        return text
    from ipaddress import IPv6Address

    try:
        address = IPv6Address(text.partition("%")[0])
    except ValueError:
        return text
    return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))


class Tries:
    """What is counted for an e-mail address, whether it is anybody's or not, and for the client's own."""

    def __init__(self, call: Call, email: str) -> None:
        self.call = call
        self.of_email = BY_EMAIL.window(email.lower(), call.milliseconds)
        self.of_address = BY_ADDRESS.window(network_of(call), call.milliseconds)
        self.count = 0

    async def counted(self, *statements: Statement) -> list[list[Row]]:
        """Count this try in a batch of its own; the rows of `statements`, sent with it. Refuses with `rate_limited`."""
        counting = [self.of_email.room(), *self.of_address.counting(), self.of_email.one_more()]
        try:
            rows = await self.call.write([*counting, *statements])
        except Problem as problem:
            spoke = self.of_address if problem.facts.get("limit") == BY_ADDRESS.name else self.of_email
            self.call.limited(spoke, 0)
            raise
        _, _, [of_address], [of_email], *found = rows
        self.count = of_email["count"]
        counts = {self.of_email: of_email["count"], self.of_address: of_address["count"]}
        nearest = min(counts, key=lambda window: window.left(counts[window]))
        self.call.limited(nearest, counts[nearest])
        return found

    async def failed(self, user_id: str | None, kind: str = "log_in_failed") -> None:
        """Leave a security event of a try that was judged and found wrong, and of the lock-out if it was the last."""
        events = trail.security_event(self.call, kind, user_id)
        if self.count >= BY_EMAIL.quota:
            events += trail.security_event(self.call, "locked_out", user_id)
        await self.call.write(events)

    def right(self) -> list[Statement]:
        """For the batch of a right one: the e-mail's tries before it are forgotten, and it is none of the client's."""
        return [self.of_email.forgetting(), *self.of_address.giving_back()]


class Mails:
    """What is counted of mail that anybody can have sent: to an address, silently, and from the client's."""

    def __init__(self, call: Call, email: str) -> None:
        self.call, self._began = call, time.perf_counter()
        self.to_email = TO_EMAIL.window(email.lower(), call.milliseconds)
        self.of_address = MAILS_OF_ADDRESS.window(network_of(call), call.milliseconds)

    async def counted(self, *statements: Statement) -> tuple[list[list[Row]], bool]:
        """Count this mail in a batch of its own. The rows of `statements`, sent with it, and whether it may be sent.

        Refuses with `rate_limited` a client that asks for too many; that an address has had enough is not told.
        """
        self.call.limited(self.of_address, 0)
        counting = [*self.of_address.counting(), self.to_email.one_more()]
        rows = await self.call.write([*counting, *statements])
        _, [of_address], [to_email], *found = rows
        self.call.limited(self.of_address, of_address["count"])
        return found, to_email["count"] <= TO_EMAIL.quota

    async def even(self) -> None:
        """Wait until the time says nothing of what was done."""
        spent = time.perf_counter() - self._began
        await asyncio.sleep(EVEN_SECONDS - spent % EVEN_SECONDS)
