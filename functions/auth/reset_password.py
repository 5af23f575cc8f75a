"""POST /auth/password-reset/confirm: set a new password with the token that was mailed, or change nothing.

Whoever has the token. Each is good once and for an hour, and with the new password the account's other tokens are worth
nothing and all its sessions end. Of two at once a guard lets one through.
"""

from mangum import Mangum
from pydantic import Field

from api import trail
from api.auth import PUBLIC, hash_of
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.mail import mail
from api.passwords import Password, check_password, hash_password
from api.problems import Problem
from api.shapes import Shape
from api.tries import BY_EMAIL
from db.sql import Sql, guard
from db.statements import people


class ResetPasswordRequest(Shape):
    token: str = Field(min_length=1, max_length=200, description="Of the link in the mail.")
    password: Password


RESET = Sql(
    """
    SELECT r.id, r.user_id, u.email, u.two_factor_enabled_at
    FROM password_resets r JOIN live_users u ON u.id = r.user_id
    WHERE r.token_hash = :token_hash AND r.used_at IS NULL AND +r.expires_at > :now AND +u.status = 'ACTIVE'
    """,
    "password_resets_token_once",
    "users.pk",
)
STILL_GOOD = Sql(
    guard(
        "EXISTS (SELECT 1 FROM password_resets r JOIN live_users u ON u.id = r.user_id "
        "WHERE r.id = :reset_id AND r.used_at IS NULL AND +u.status = 'ACTIVE')",
        "token_used",
    ),
    "password_resets.pk",
    "users.pk",
)


@endpoint("POST /auth/password-reset/confirm", status=204, permission=PUBLIC, errors=("token_used",))
async def reset_password(request: ResetPasswordRequest, call: Call) -> Answer[None]:
    [found] = await call.read(RESET(token_hash=hash_of(request.token), now=call.now))
    if not found:
        raise Problem("token_used")
    reset = found[0]
    check_password(request.password, reset["email"])
    hashed = await hash_password(request.password, call.settings.bcrypt_cost)
    tries = BY_EMAIL.window(reset["email"].lower(), call.milliseconds)
    whose = {"user_id": reset["user_id"], "now": call.now}
    plan = [
        STILL_GOOD(reset_id=reset["id"]),
        people.SET_PASSWORD(**whose, password_hash=hashed),
        people.VOID_RESETS(**whose),
        people.END_SESSIONS(**whose, keep=None),
        *([] if reset["two_factor_enabled_at"] else [tries.forgetting()]),  # the mailbox is no second factor
        mail(call, "password_changed", reset["user_id"], reset["email"]),
        *trail.security_event(call, "password_reset", reset["user_id"]),
    ]
    return await call.commit(plan, Answer(None))


handler = Mangum(reset_password, lifespan="off", text_mime_types=TEXT)
