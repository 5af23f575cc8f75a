"""send_mail: what waits in the outbox goes out, once, and leaves nothing behind."""

import json
from collections.abc import Iterator

import pytest

from api.settings import settings
from functions.jobs.send_mail import ATTEMPTS, NEVER
from tests.functions.jobs.support import run
from tests.providers.smtp import Inbox, serving
from tests.shop import Shop

EMAIL = "eleni@example.com"


@pytest.fixture
def inbox(shop: Shop) -> Iterator[Inbox]:
    inbox = Inbox()
    with serving(inbox) as port:
        shop.patch.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
        shop.patch.setenv("MAIL_FROM", "shop@shop.example")
        settings.cache_clear()
        yield inbox


def waiting(shop: Shop, to: str = EMAIL, kind: str = "reset_password", **more: object) -> str:
    row_id = shop.ids("outbox")[0]
    payload = json.dumps({"to": to, "language": "en", "token": "a-token"})
    values = {"topic": f"mail.{kind}", "payload": payload, "due_at": shop.now, **more}
    shop.insert(
        "outbox", id=row_id, entity="users", entity_id="user_1", created_at=shop.now, updated_at=shop.now, **values
    )
    return row_id


def counts(shop: Shop) -> tuple[int, int, int]:
    told = run("send_mail")
    assert (told["failed"], told["finished"]) == (0, True)
    return told["sent"], told["postponed"], told["given_up"]


def test_sends_what_is_due_and_wipes_it(shop: Shop, inbox: Inbox) -> None:
    row_id = waiting(shop)
    later = waiting(shop, due_at="2099-01-01T00:00:00.000Z")
    order = waiting(shop, kind="x", topic="order.placed")
    with shop.unchanged("outbox"):
        assert counts(shop) == (1, 0, 0)
    [message] = inbox.messages
    assert (message["To"], message["Message-ID"]) == (EMAIL, f"<{row_id}@shop.example>")
    assert "a-token" in message.get_content()
    rows = {
        row: (sent is not None, payload == "{}")
        for row, sent, payload in shop.rows("SELECT id, sent_at, payload FROM outbox")
    }
    assert rows == {row_id: (True, True), later: (False, False), order: (False, False)}
    with shop.unchanged():
        assert counts(shop) == (0, 0, 0)


def test_more_than_one_round(shop: Shop, inbox: Inbox) -> None:
    for number in range(23):
        waiting(shop, f"user-{number}@example.com")
    assert counts(shop) == (23, 0, 0)
    assert len({message["To"] for message in inbox.messages}) == 23


def test_without_a_server_mail_waits(shop: Shop) -> None:
    waiting(shop)
    with shop.unchanged():
        assert counts(shop) == (0, 0, 0)


def test_what_is_not_taken_comes_again_later_each_time_and_is_given_up(shop: Shop, inbox: Inbox) -> None:
    waiting(shop)
    inbox.refusals[EMAIL] = "451 try again"
    for pause in (60, 120, 240, 480, 960, 1920, 3600, 3600, 3600):
        assert counts(shop) == (0, 1, 0)
        assert counts(shop) == (0, 0, 0)
        shop.clock(pause)
    assert "a-token" in shop.one("SELECT payload FROM outbox")
    assert counts(shop) == (0, 0, 1)
    assert shop.rows("SELECT attempts, due_at, sent_at, payload FROM outbox") == [(ATTEMPTS, NEVER, None, "{}")]
    shop.clock(86_400)
    with shop.unchanged():
        assert counts(shop) == (0, 0, 0)


def test_what_will_never_be_taken_is_given_up_at_once_and_keeps_nobody_waiting(shop: Shop, inbox: Inbox) -> None:
    waiting(shop, "never@example.com")
    waiting(shop, "a@b.cd\r\nBcc: x@y.zz")
    waiting(shop)
    inbox.refusals["never@example.com"] = "550 no such user"
    assert counts(shop) == (1, 0, 2)
    assert [message["To"] for message in inbox.messages] == [EMAIL]


def test_a_run_that_dies_after_sending_sends_again_under_the_same_id(
    shop: Shop, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    row_id = waiting(shop)

    def dead(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("functions.jobs.send_mail._settled", dead)
        with pytest.raises(MemoryError):
            run("send_mail")
    assert counts(shop) == (0, 0, 0)
    shop.clock(300)
    assert counts(shop) == (1, 0, 0)
    assert [message["Message-ID"] for message in inbox.messages] == [f"<{row_id}@shop.example>"] * 2


def test_a_run_at_the_same_time_sends_nothing_twice(shop: Shop, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.jobs import send_mail

    waiting(shop)
    tried = send_mail._tried

    async def meanwhile(call: object, rows: object) -> object:
        monkeypatch.setattr(send_mail, "_tried", tried)
        told = await send_mail.send_mail.run()
        assert told["sent"] == 0
        return await tried(call, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(send_mail, "_tried", meanwhile)
    assert counts(shop) == (1, 0, 0)
    assert len(inbox.messages) == 1


def test_one_that_was_claimed_since_the_read_is_not_sent(
    shop: Shop, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.jobs import send_mail

    waiting(shop)
    still_due = send_mail.STILL_DUE

    def claimed(**values: object) -> object:
        shop.execute("UPDATE outbox SET due_at = '2099-01-01T00:00:00.000Z'")
        return still_due(**values)  # type: ignore[arg-type]

    monkeypatch.setattr(send_mail, "STILL_DUE", claimed)
    with shop.unchanged("outbox"):
        assert counts(shop) == (0, 0, 0)
    assert inbox.messages == []
    assert shop.one("SELECT attempts FROM outbox") == 0
