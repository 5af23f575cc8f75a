"""`tally user`: make and list users, and give them roles. The database holds a bcrypt hash; a password that was made up
is shown once."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import secrets
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from api import trail
from api.auth import Actor
from api.clock import milliseconds_now, stamp
from api.ids import typeids
from api.passwords import check_password, hash_password
from api.problems import Problem
from api.settings import BCRYPT_COST_MIN
from api.shapes import EMAIL_FORM
from cli.common import Failure, in_production, opened, require_migrated
from db.helper import Conflict, Database, Row, insert_statements
from db.sql import Statement, unregistered

if TYPE_CHECKING:
    from api.call import Call

EMAIL_LETTERS_MAX: Final = 254
COST_DEFAULT: Final = 12

ALL: Final = unregistered("""
    SELECT u.id, u.email, u.status, u.created_at,
      (SELECT json_group_array(r.name) FROM user_roles x JOIN roles r ON r.id = x.role_id
        WHERE x.user_id = u.id) AS roles
    FROM live_users u ORDER BY u.id
""")
BY_EMAIL: Final = unregistered("""
    SELECT u.id, EXISTS (SELECT 1 FROM user_roles x JOIN roles r ON r.id = x.role_id
      WHERE x.user_id = u.id AND r.name = :role) AS given
    FROM live_users u WHERE lower(u.email) = lower(:email)
""")
ROLES: Final = unregistered("SELECT name FROM roles ORDER BY name")
GIVE: Final = unregistered("""
    INSERT INTO user_roles (user_id, role_id, assigned_at, created_at, updated_at)
    SELECT :user_id, id, :now, :now, :now FROM roles WHERE name = :role
""")


class Shell(NamedTuple):
    """Who writes from a shell, as the trail wants to know it: nobody with a credential, from no address."""

    milliseconds: int
    actor: Actor = Actor("cli", "cli")
    ip_address: None = None
    user_agent: None = None
    request_id: None = None

    @property
    def asked(self) -> Shell:
        return self

    @property
    def now(self) -> str:
        return stamp(self.milliseconds)

    def id(self, prefix: str) -> str:
        return typeids(prefix, 1, self.milliseconds)[0]


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("user", help="make and list users, and give them roles")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help_: str) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = actions.add_parser(name, help=help_, description=help_, allow_abbrev=False)
        return one

    create = action(
        "create", "make a user; the password is ADMIN_PASSWORD, or made up and printed, this once, on standard output"
    )
    create.add_argument("email", metavar="EMAIL", help="counts as verified")
    create.add_argument("--role", action="append", default=[], metavar="ROLE", help="admin, staff, …; may be repeated")
    action("list", "every user with status and roles")
    role = action("role", "give a user a role")
    role.add_argument("email", metavar="EMAIL")
    role.add_argument("role", metavar="ROLE")


def run(args: argparse.Namespace) -> int:
    return asyncio.run({"create": _create, "list": _list, "role": _role}[args.action](args))


async def _create(args: argparse.Namespace) -> int:
    async with opened(args.database_url) as db:
        await require_migrated(db)
        made_up = await make_user(db, args.email, args.role)
    if made_up:
        print(made_up)
    return 0


async def make_user(db: Database, email: str, roles: list[str]) -> str | None:
    """Make a user who can log in at once. Returns the password if it was made up. Raises Failure."""
    if len(email) > EMAIL_LETTERS_MAX or re.fullmatch(EMAIL_FORM, email) is None:
        raise Failure(f"{email!r} is no e-mail address", 2)
    await _check_roles(db, roles)
    given = os.environ.get("ADMIN_PASSWORD")
    password = given or secrets.token_urlsafe(18)
    try:
        check_password(password, email)
    except Problem as problem:
        raise Failure("ADMIN_PASSWORD: 12 to 72 bytes, and none that everybody tries or the address itself", 2) from (
            problem
        )
    shell = Shell(milliseconds_now())
    user_id, at = shell.id("user"), shell.now
    row = {
        "id": user_id,
        "email": email,
        "status": "ACTIVE",
        "password_hash": await hash_password(password, _cost()),
        "email_verified_at": at,
        "created_at": at,
        "updated_at": at,
    }
    try:
        await db.batch([*insert_statements("users", [row]), *_giving(shell, user_id, roles)])
    except Conflict as error:
        if error.kind != "unique":
            raise
        raise Failure(f"there is a user {email}; `tally user role` gives them a role") from error
    shown = "; the password is shown this once:" if not given else ", with the password of ADMIN_PASSWORD"
    # Apart from the password, so that PASSWORD=$(tally user create …) holds nothing else.
    print(f"{user_id} ({email}) is {', '.join(roles) or 'without a role'}{shown}", file=sys.stderr)
    return None if given else password


async def _list(args: argparse.Namespace) -> int:
    async with opened(args.database_url) as db:
        [found] = await db.read(ALL())
    if not found:
        print("there is no user; `tally user create EMAIL --role admin` makes one")
        return 0
    rows = [("EMAIL", "STATUS", "ROLES", "CREATED", "ID"), *map(_cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


async def _role(args: argparse.Namespace) -> int:
    async with opened(args.database_url) as db:
        await _check_roles(db, [args.role])
        [found] = await db.read(BY_EMAIL(email=args.email, role=args.role))
        if not found:
            raise Failure(f"there is no user {args.email}; `tally user create` makes one")
        if not found[0]["given"]:
            await db.batch(_giving(Shell(milliseconds_now()), found[0]["id"], [args.role]))
    print(f"{args.email} {'had' if found[0]['given'] else 'now has'} the role {args.role}")
    return 0


def _giving(shell: Shell, user_id: str, roles: list[str]) -> list[Statement]:
    """Give roles, and leave the same trail as the endpoint does."""
    plan, call = [], cast("Call", shell)
    for role in dict.fromkeys(roles):
        plan.append(GIVE(user_id=user_id, role=role, now=shell.now))
        before, after = {"role": None}, {"role": role}
        plan += trail.audit_row(call, "roles:assign", "users", user_id, before=before, after=after)
        plan += trail.security_event(call, "role_given", user_id, role=role, by=shell.actor.id)
    return plan


async def _check_roles(db: Database, roles: list[str]) -> None:
    """Refuse a role that there is not. Raises Failure."""
    [found] = await db.read(ROLES())
    known = [row["name"] for row in found]
    for role in roles:
        if role not in known:
            raise Failure(f"there is no role {role!r}; there are: {', '.join(known)}", 2)


def _cost() -> int:
    text = os.environ.get("BCRYPT_COST") or str(COST_DEFAULT)
    least = BCRYPT_COST_MIN if in_production() else 4
    if not (text.isascii() and text.isdigit() and least <= int(text) <= 16):
        raise Failure(f"BCRYPT_COST is a whole number, {least} to 16", 2)
    return int(text)


def _cells(row: Row) -> tuple[str, ...]:
    return (row["email"], row["status"], ",".join(json.loads(row["roles"])) or "-", row["created_at"], row["id"])
