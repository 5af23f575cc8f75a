"""Mail as a real server receives it: what stands in it, how it is encrypted, what becomes of a refusal."""

import asyncio
import json
import socket
from email.message import EmailMessage
from pathlib import Path

import pytest

from api.mail import KINDS
from api.problems import LANGUAGES
from providers import mail
from providers.mail import Outcome, compose, deliver
from tests.providers.smtp import PASSWORD, USER, Inbox, certificate, serving

SHOP = "https://shop.example"
TO = "eleni@example.com"


def message(kind: str = "verify_email", to: str = TO, language: str = "en", row_id: str = "outbox_1") -> EmailMessage:
    payload = {"to": to, "language": language, "token": "a-token"}
    return compose(row_id, kind, payload, sender="shop@shop.example", shop_url=SHOP)


def sent(url: str, *messages: EmailMessage) -> list[Outcome]:
    return asyncio.run(deliver(url, messages))


def test_arrives_as_it_was_written() -> None:
    inbox = Inbox()
    with serving(inbox) as port:
        assert sent(f"smtp://127.0.0.1:{port}", message(language="el"), message("reset_password")) == [Outcome()] * 2
    first, second = inbox.messages
    assert inbox.envelopes == [("shop@shop.example", [TO])] * 2
    assert (first["To"], first["From"], first["Message-ID"]) == (TO, "shop@shop.example", "<outbox_1@shop.example>")
    assert first["Subject"] == "Επιβεβαιώστε τη διεύθυνση e-mail σας"
    assert f"{SHOP}/verify-email#token=a-token" in first.get_content()
    assert f"{SHOP}/reset-password#token=a-token" in second.get_content()
    assert inbox.encrypted == [False, False]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_written_in_every_language(language: str) -> None:
    texts = json.loads((Path(mail.__file__).parent / "mail_texts" / f"{language}.json").read_text(encoding="utf-8"))
    assert texts.keys() == set(KINDS)
    for kind in KINDS:
        written = message(kind, language=language)
        text = written.get_content()
        assert SHOP in text
        assert "{" not in text
        assert ("a-token" in text) == (kind in mail.LINKS)
        if language != "en":
            assert written["Subject"] != message(kind)["Subject"]


@pytest.mark.parametrize(
    "to",
    ["a@b.cd\r\nBcc: x@y.zz", "a@b.cd\nBcc: x@y.zz", "a@b.cd, x@y.zz", "a@b.cd\r\n\r\nBuy!", "", "nobody", "<a@b.cd>"],
)
def test_an_address_ends_no_header(to: str) -> None:
    with pytest.raises(ValueError):
        message(to=to)


def test_a_token_ends_no_header_and_no_text() -> None:
    inbox = Inbox()
    payload = {"to": TO, "language": "en", "token": "x\r\n.\r\nMAIL FROM:<a@b.cd>"}
    one = compose("outbox_1", "verify_email", payload, sender="shop@shop.example", shop_url=SHOP)
    with serving(inbox) as port:
        assert sent(f"smtp://127.0.0.1:{port}", one) == [Outcome()]
    assert len(inbox.messages) == 1
    assert "MAIL FROM" in inbox.messages[0].get_content()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # smtps is encrypted before it begins
def test_encrypts_and_logs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    inbox = Inbox()
    user = f"{USER}:a%3Ab%40c@"
    options = {"authenticator": inbox.authenticate, "auth_required": True}
    with serving(inbox, tls_context=context, require_starttls=True, **options) as port:
        assert sent(f"smtp://{user}localhost:{port}", message()) == [Outcome()]
    with serving(inbox, server_hostname="localhost", ssl_context=context, auth_require_tls=False, **options) as port:
        assert sent(f"smtps://{user}localhost:{port}", message()) == [Outcome()]
        [refused] = sent(f"smtps://{USER}:wrong@localhost:{port}", message())
    assert refused == Outcome("SMTPAuthenticationError")
    assert inbox.encrypted[0]  # of the other the port itself is
    assert len(inbox.messages) == 2
    assert PASSWORD not in str(inbox.users)


def test_trusts_no_certificate_of_a_stranger(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    inbox = Inbox()
    with serving(inbox, tls_context=context) as port:
        assert sent(f"smtp://localhost:{port}", message()) == [Outcome("SSLCertVerificationError")]
    assert inbox.messages == []


def test_a_refused_recipient_keeps_nobody_else_from_theirs() -> None:
    inbox = Inbox()
    inbox.refusals = {"never@example.com": "550 no such user", "later@example.com": "451 try again"}
    messages = [message(to=to) for to in ("never@example.com", "later@example.com", TO)]
    with serving(inbox) as port:
        found = sent(f"smtp://127.0.0.1:{port}", *messages)
    assert found == [
        Outcome("SMTPRecipientsRefused 550", final=True), Outcome("SMTPRecipientsRefused 451"), Outcome(),
    ]  # fmt: skip
    assert [one["To"] for one in inbox.messages] == [TO]


def test_a_server_that_is_away_is_no_end() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert sent(f"smtp://127.0.0.1:{port}", message(), message()) == [Outcome("ConnectionRefusedError")] * 2


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SECONDS_MAX", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert sent(f"smtp://127.0.0.1:{silent.getsockname()[1]}", message()) == [Outcome("SMTPServerDisconnected")]
