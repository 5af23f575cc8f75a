"""What a handler knows besides its request: who asks, when, and the database. And the answer that it gives."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic_core import to_json

from api import auth, idempotency, pagination, telemetry, trail
from api.auth import ANONYMOUS, Actor, Credential
from api.clock import milliseconds_now, stamp
from api.ids import typeids
from api.problems import Problem, invalid
from api.rate_limit import Window
from api.settings import Settings
from api.shapes import PageRequest
from api.spoken import Rerun, spoken
from db.helper import Busy, Conflict, Database, Refused, Results, Row, SchemaBehind, TimedOut, Unavailable, Unknown
from db.sql import Statement, Value
from db.statements import people
from domain.events import is_time

ShapeT = TypeVar("ShapeT")
Headers = list[tuple[bytes, bytes]]


def dumps(value: Any) -> str:
    """Compact JSON, in a third of the time that the standard library's encoder takes."""
    return to_json(value).decode()


class Told(NamedTuple):
    """An answer that SQL tells at the end of the batch, with the values of its query besides `now`."""

    telling: idempotency.Telling
    values: dict[str, Value]


class Answer(NamedTuple, Generic[ShapeT]):
    """What a handler answers: a shape's members as a dict, or as a JSON text that SQL made or will make (`Told`).

    None with status 204. `version` becomes the ETag, `location` the Location; `secret` members are shown once and null
    in a replay.
    """

    body: dict[str, Any] | str | Told | None
    status: int | None = None
    location: str | None = None
    version: int | None = None
    secret: dict[str, str | None] | None = None
    link: str | None = None
    cookies: tuple[str, ...] = ()
    """Set-Cookie values; never remembered for a replay."""

    def text(self, *, with_secret: bool) -> str:
        body = self.body
        text = dumps(body) if isinstance(body, dict) else body if isinstance(body, str) else ""
        return text[:-1] + self.ending(with_secret=with_secret) if text and self.secret else text

    def ending(self, *, with_secret: bool) -> str:
        """The end of the body: its secret members, if any, and its brace."""
        if not self.secret:
            return "}"
        return "," + dumps(self.secret if with_secret else dict.fromkeys(self.secret))[1:]

    def headers(self) -> Headers:
        found: Headers = []
        if self.location:
            found.append((b"location", self.location.encode()))
        if self.version is not None:
            found.append((b"etag", b'"%d"' % self.version))
        if self.link:
            found.append((b"link", self.link.encode()))
        return found


class Replayed(Exception):
    """The caller sent this key before: status, headers and body of the first answer."""

    def __init__(self, status: int, headers: Headers, body: str) -> None:
        super().__init__(status)
        self.status, self.headers, self.body = status, headers, body


class Asked(NamedTuple):
    """The request besides its shape."""

    name: str
    permission: str
    status: int
    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    credential: Credential | None
    request_id: str
    ip_address: str | None
    step_up: bool
    """Whether a person must have shown the second factor, or the password, a moment ago."""
    key: str | None
    key_problem: Problem | None
    fingerprint: str
    if_match: int | None
    if_match_missing: bool
    read_after: str | None
    """The read-after token of a write: what is read must be at least that new."""
    replica: bool
    """Whether a replica may answer without one."""


class Call:
    """One run of a handler's line. A second run gets a new one, with a new `now`."""

    def __init__(self, asked: Asked, settings: Settings, db: Database) -> None:
        self.asked, self.settings, self.db = asked, settings, db
        self.milliseconds = milliseconds_now()
        self.now = stamp(self.milliseconds)
        self.actor: Actor = ANONYMOUS
        self.trips = 0
        self.db_seconds = 0.0
        self.token: str | None = None
        """The read-after token of the last round trip."""
        self._limit: tuple[Window, int] | None = None
        self._held: list[Statement] = []
        self._trail: list[Statement] = []
        self._audited = False
        self._judged = False
        self.disowned = False
        """The cookie is of a session that is over: the line is run again as if none had been sent."""

    def later(self, seconds: int) -> str:
        """The time `seconds` from now."""
        return stamp(self.milliseconds + seconds * 1000)

    def ids(self, prefix: str, count: int) -> list[str]:
        """`count` new ids that sort by time, and among themselves."""
        return typeids(prefix, count, self.milliseconds)

    def id(self, prefix: str) -> str:
        return typeids(prefix, 1, self.milliseconds)[0]

    def header(self, name: str) -> str | None:
        value = self.asked.headers.get(name.encode())
        return value.decode("latin-1") if value is not None else None

    @property
    def key_hash(self) -> str | None:
        """The hash of the API key that was sent, None without one: for SQL that asks whose something is."""
        return self.asked.credential.key_hash if self.asked.credential else None

    @property
    def user_id(self) -> str | None:
        """The id of the person whose token was sent, None without one; known before the first read."""
        return self.asked.credential.user_id if self.asked.credential else None

    @property
    def user_agent(self) -> str | None:
        """The client's own words, at most 500 characters."""
        return (self.header("user-agent") or "")[:500] or None

    @property
    def cart_token_hash(self) -> str | None:
        """The hash of X-Cart-Token, None without one."""
        token = self.header("x-cart-token")
        return auth.hash_of(token) if token else None

    def match(self, version: int) -> None:
        """Raises 412 if the client's If-Match names another version."""
        if self.asked.if_match is not None and self.asked.if_match != version:
            raise Problem("stale_version")

    def check_step_up(self) -> None:
        """Raises 403 unless the person showed the second factor, or the password again, a moment ago."""
        if (self.actor.stepped_up_at or "") < self.later(-auth.STEP_UP_SECONDS):
            raise Problem("step_up_required")

    async def read(self, *statements: Statement) -> list[list[Row]]:
        """The rows of each statement, one snapshot; the first also finds who calls and what was answered before."""
        prelude = [] if self._judged else self._questions()
        found: list[list[Row]] = []
        if prelude or statements:
            asked = self.asked
            found = await self._trip(self.db.read(*prelude, *statements, after=asked.read_after, replica=asked.replica))
        if not self._judged:
            self._judge(found[: len(prelude)])
        return found[len(prelude) :]

    async def check_times(self, **times: str | None) -> None:
        """Raises 422 for a day or time that no calendar has, once it is known who calls."""
        for name, text in times.items():
            if text is not None and not is_time(text):
                await self.judged()
                raise invalid(f"/{name}", "time")

    async def judged(self) -> None:
        """Find out who calls, if no read has yet: that comes before whatever is wrong with the request."""
        if not self._judged:
            await self.read()

    def limited(self, window: Window, count: int) -> None:
        """A limit applies to this call and stands at `count`: the answer will say so, whatever it is."""
        self._limit = (window, window.left(count))

    def limit_headers(self, *, refused: bool) -> Headers:
        """Where the caller stands with the limit; nothing where none applies. `refused`: the answer is a 429."""
        if self._limit is None:
            return []
        window, left = self._limit
        return window.headers(left, refused=refused)

    def hold(self, *guards: Statement) -> None:
        """Nothing more is told before a batch has kept these: the one that is committed, or else one of their own."""
        self._held += guards

    def audit(self, action: str, entity: str, entity_id: str, **changed: Any) -> None:
        """Leave a row in the audit log with the next commit: `action` is `domain:action`, `changed` what
        `trail.audit_row` takes: before, after, personal, person. To be called once it is known who calls."""
        self._trail += trail.audit_row(self, action, entity, entity_id, **changed)
        self._audited = True

    def audit_changes(self, action: str, entity: str, entity_id: str, before: Row, sent: dict[str, Any]) -> None:
        """`audit`, of the members of `sent` that differ from the row `before`."""
        self.audit(action, entity, entity_id, **trail.changes(before, sent))

    def happened(self, kind: str, user_id: str | None, **payload: Any) -> None:
        """Leave a security event with the next commit."""
        self._trail += trail.security_event(self, kind, user_id, **payload)

    async def held(self) -> None:
        """Send the guards that no commit has."""
        if self._held:
            guards, self._held = self._held, []
            await self.write(guards)

    async def write(self, plan: Sequence[Statement]) -> list[list[Row]]:
        """Send the batch alone; the rows of each. For what is to be kept although the request is refused."""
        try:
            return await self._trip(self.db.batch(plan))
        except Unknown as error:
            if self.asked.key is None:
                raise Problem("outcome_unknown") from error
            raise Rerun from error  # the next run finds the remembered answer if it was kept
        except (Refused, Conflict) as error:
            raise spoken(error) from error

    async def commit(self, statements: Sequence[Statement], answer: Answer[ShapeT]) -> Answer[ShapeT]:
        """Send the batch, and with it the answer to remember: all of it is kept, or none. Returns the answer."""
        await self.judged()
        told = answer.body if isinstance(answer.body, Told) else None
        if self.asked.method != "GET" and self.asked.permission not in auth.EVERYBODYS:
            writes = any(statement.sql.writes for statement in statements)
            if writes and not self._audited:
                raise RuntimeError(f"{self.asked.name} leaves no row in the audit log")
        if self.actor.session_id is not None and statements:  # ended meanwhile: the next run finds out
            lives = {"session_id": self.actor.session_id, "user_id": self.actor.id}
            statements = [people.SESSION_LIVES(**lives, now=self.now), *statements]
        plan = [*self._held, *statements, *(self._trail if statements else [])]
        self._held, self._trail = [], []
        if told:
            plan.append(told.telling.told(**told.values, now=self.now))
        if self.asked.key is not None:
            who: dict[str, Value] = {"scope": self._scope(), "key": self.asked.key}
            plan = [idempotency.FRESH(**who, now=self.now), *plan, self._remember(answer, who)]
        rows = await self.write(plan) if plan else []
        if told:
            [row] = rows[-1 if self.asked.key is None else -2]
            answer = answer._replace(body=row["answer"], version=row["version"])
        return answer

    def _remember(self, answer: Answer[Any], who: dict[str, Value]) -> Statement:
        values: dict[str, Value] = {
            **who,
            "fingerprint": self.asked.fingerprint,
            "status": answer.status or self.asked.status,
            "headers": dumps([[name.decode(), value.decode()] for name, value in answer.headers()]),
            "expires_at": self.later(idempotency.REMEMBERED_SECONDS),
            "now": self.now,
        }
        if isinstance(answer.body, Told):
            ending = answer.ending(with_secret=False)
            return answer.body.telling.kept(**answer.body.values, **values, ending=ending)
        return idempotency.REMEMBER(**values, answer=answer.text(with_secret=False))

    def after(self, request: PageRequest, sort: str) -> list[Any] | None:
        """The sort key that the page begins after, None for the first page. Raises 422 for a foreign cursor."""
        if request.cursor is None:
            return None
        return pagination.read_cursor(self.settings.secret_key, self._list(request, sort), request.cursor)

    def page(self, request: PageRequest, rows: Sequence[Row], keys: Sequence[str], sort: str) -> Answer[Any]:
        """The page of `rows` (limit + 1 of them; column `item` is the JSON of each, `keys` its sort key)."""
        items = rows[: request.limit]
        cursor = link = None
        if len(rows) > request.limit:
            values = [items[-1][key] for key in keys]
            cursor = pagination.write_cursor(self.settings.secret_key, self._list(request, sort), values)
            link = pagination.next_link(self.asked.path, self.asked.query, cursor)
        joined = ",".join([row["item"] for row in items])
        return Answer(f'{{"items":[{joined}],"next_cursor":{dumps(cursor)}}}', link=link)

    def _list(self, request: PageRequest, sort: str) -> str:
        filters = request.model_dump(exclude={"cursor", "limit"}, exclude_none=True)
        # The credential, not the actor: `after` is asked before the first read has told who calls.
        return f"{self.asked.name} {self.asked.path} {sort} {dumps(filters)} {self._caller()}"

    def _caller(self) -> str | None:
        credential = self.asked.credential
        return (credential.key_hash or credential.user_id) if credential else None

    def _scope(self) -> str:
        if self.actor.kind != "anonymous":
            return self.actor.id
        token = self.cart_token_hash
        return f"cart:{token}" if token else self.actor.id

    def _questions(self) -> list[Statement]:
        questions = []
        credential, key = self.asked.credential, self.asked.key
        if credential is not None:
            questions.append(auth.question(credential))
        if key is not None and credential is not None and credential.key_hash is not None:
            questions.append(idempotency.RECALL_OF_API_KEY(hash=credential.key_hash, key=key, now=self.now))
        elif key is not None:
            scope = credential.user_id if credential else None
            questions.append(idempotency.RECALL(scope=scope or self._scope(), key=key, now=self.now))
        return questions

    def _judge(self, found: list[list[Row]]) -> None:
        """Authenticate, permit, key, If-Match: in this order, before anything else is said."""
        permission = self.asked.permission
        if self.asked.credential is not None:
            self.actor = auth.actor_from(self.asked.credential, found[0], permission, self.now)
            if self.actor is ANONYMOUS:
                self.disowned = True
                raise Rerun
        auth.permit(self.actor, permission)
        if self.asked.step_up and self.actor.kind == "user":
            self.check_step_up()
        self._judged = True
        if self.asked.key_problem is not None:
            raise self.asked.key_problem
        if self.asked.key is not None and found:
            self._recall(found[-1])
        if self.asked.if_match_missing:
            raise Problem("precondition_required")

    def _recall(self, rows: list[Row]) -> None:
        if not rows:
            return
        if rows[0]["fingerprint"] != self.asked.fingerprint:
            raise Problem("idempotency_key_reused")
        headers = [(name.encode(), value.encode()) for name, value in json.loads(rows[0]["headers"])]
        raise Replayed(rows[0]["status"], [*headers, (b"idempotency-replayed", b"true")], rows[0]["answer"])

    async def _trip(self, trip: Awaitable[Results]) -> Results:
        self.trips += 1
        began = time.perf_counter()
        try:
            found = await trip
            self.token = found.token
            return found
        except (Busy, TimedOut) as error:
            raise Problem("busy") from error
        except (SchemaBehind, Unavailable) as error:
            telemetry.log.error("database away", extra={"facts": {"endpoint": self.asked.name, "reason": str(error)}})
            raise Problem("busy") from error
        finally:
            self.db_seconds += time.perf_counter() - began
