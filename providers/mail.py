"""Mail to people over SMTP: texts in four languages, messages that nothing in them can turn into others, a server.

Sending waits for the network, so it is done in a thread. Nothing here knows the database: what was sent and what
comes again is said by functions/jobs/send_mail.py.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from email.message import EmailMessage

SECONDS_MAX: Final = 10.0
"""For each answer of the server."""
PORTS: Final = {"smtp": 25, "smtps": 465}
LINKS: Final = {"verify_email": "verify-email", "reset_password": "reset-password", "change_email": "verify-email"}
"""Pages of the shop that a token is brought back to. It stands behind the #, which no server is told."""
_URL: Final = re.compile(r"(smtps?)://(?:([^:@/\s]+):([^@/\s]+)@)?([^:@/\s]+)(?::([0-9]{1,5}))?/?")


class Outcome(NamedTuple):
    """What became of a message: `error` is None once the server has it; `final`: it will never take it."""

    error: str | None = None
    final: bool = False


@lru_cache(maxsize=4)
def _texts(language: str) -> dict[str, dict[str, str]]:
    text = Path(__file__).with_name("mail_texts").joinpath(f"{language}.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found


def compose(row_id: str, kind: str, payload: Mapping[str, str], *, sender: str, shop_url: str) -> EmailMessage:
    """The message of an outbox row. The same row makes the same Message-ID, so that a mail sent twice is seen as one.

    Raises ValueError for an address that no header can hold.
    """
    from email.errors import MessageError
    from email.headerregistry import Address
    from email.message import EmailMessage

    text = _texts(payload["language"])[kind]
    facts = {"shop": shop_url, "token": payload.get("token", "")}
    if kind in LINKS:
        facts["link"] = f"{shop_url}/{LINKS[kind]}#token={facts['token']}"
    message = EmailMessage()
    try:
        message["From"] = Address(addr_spec=sender)
        message["To"] = Address(addr_spec=payload["to"])
    except (MessageError, IndexError) as error:
        raise ValueError("no address") from error
    message["Subject"] = text["subject"]
    message["Message-ID"] = f"<{row_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_filled(text["text"], facts))
    return message


def _filled(text: str, facts: Mapping[str, str]) -> str:
    for name, value in facts.items():
        text = text.replace("{" + name + "}", value)
    return text


async def deliver(url: str, messages: Sequence[EmailMessage]) -> list[Outcome]:
    """Hand messages to the server of `url` (smtp:// or smtps://) over one connection; what became of each."""
    return await asyncio.to_thread(_deliver, url, messages)


def _deliver(url: str, messages: Sequence[EmailMessage]) -> list[Outcome]:
    import smtplib

    outcomes: list[Outcome] = []
    try:
        with _connected(url) as server:
            for message in messages:
                outcomes.append(_sent(server, message))
    except (OSError, smtplib.SMTPException) as error:
        # Also a farewell that failed, when all were taken before it.
        rest = Outcome(type(error).__name__)
        outcomes += [rest] * (len(messages) - len(outcomes))
    return outcomes


def _connected(url: str) -> Any:
    """A connection that is encrypted if the server can, and ours if the URL names a user."""
    import smtplib
    import ssl

    matched = _URL.fullmatch(url)
    if matched is None:
        raise ValueError("SMTP_URL: smtp://[user:password@]host[:port] or smtps://…")
    scheme, user, password, host, given = matched.groups()
    port, context = int(given or PORTS[scheme]), ssl.create_default_context()
    if scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS_MAX, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=SECONDS_MAX)
    try:
        server.ehlo()
        if scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif user and scheme == "smtp":  # a password goes to nobody in clear text
            raise smtplib.SMTPNotSupportedError("STARTTLS")
        if user:
            server.login(unquote(user), unquote(password))
    except BaseException:
        server.close()
        raise
    return server


def _sent(server: Any, message: EmailMessage) -> Outcome:
    """What became of one message; a connection that broke is raised, for the rest as well."""
    import smtplib

    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Outcome(f"SMTPRecipientsRefused {codes[0]}", final=all(code >= 500 for code in codes))
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPResponseException as error:
        return Outcome(f"{type(error).__name__} {error.smtp_code}")
    except (smtplib.SMTPException, UnicodeEncodeError) as error:
        return Outcome(type(error).__name__, final=True)
    return Outcome()
