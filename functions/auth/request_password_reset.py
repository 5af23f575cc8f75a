"""POST /auth/password-reset: mail a link to set a new password with, or change nothing.

Anyone may, and for every address the answer is the same; only a verified, active account gets mail. The link is good
once and for an hour. Three mails an hour to an address, whose further ones are not sent; fifty in a quarter of an hour
from one client's.
"""

import secrets
from typing import Final, Literal

from mangum import Mangum
from pydantic import Field

from api import trail
from api.auth import PUBLIC, hash_of
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.mail import mail
from api.people_shapes import Email
from api.shapes import Shape
from api.tries import Mails
from db.sql import Sql

GOOD_FOR_SECONDS: Final = 3_600


class RequestPasswordResetRequest(Shape):
    email: Email


class Requested(Shape):
    status: Literal["sent"] = Field(description="Mail is on its way, if there is such an account.")


RESETTABLE = Sql(
    """
    SELECT id, email FROM live_users
    WHERE lower(email) = lower(:email) AND +status = 'ACTIVE' AND email_verified_at IS NOT NULL
    """,
    "users_email_once",
)
ADD_RESET = Sql("""
    INSERT INTO password_resets (id, user_id, token_hash, expires_at, created_at, updated_at)
    VALUES (:id, :user_id, :token_hash, :expires_at, :now, :now)
""")


@endpoint("POST /auth/password-reset", status=202, permission=PUBLIC, errors=("rate_limited",))
async def request_password_reset(request: RequestPasswordResetRequest, call: Call) -> Answer[Requested]:
    await call.judged()
    answer = Answer[Requested]({"status": "sent"})
    mails = Mails(call, request.email)
    [found], room = await mails.counted(RESETTABLE(email=request.email))
    if not room:
        await mails.even()
        return answer
    user, token = found[0] if found else None, secrets.token_urlsafe(32)
    # Nobody's address leaves an event, too: both answers wait for a commit, and for the same moment after it.
    plan = trail.security_event(call, "password_reset_requested", user["id"] if user else None)
    if user:
        plan += [
            ADD_RESET(
                id=call.id("reset"),
                user_id=user["id"],
                token_hash=hash_of(token),
                expires_at=call.later(GOOD_FOR_SECONDS),
                now=call.now,
            ),
            mail(call, "reset_password", user["id"], user["email"], token=token),
        ]
    answer = await call.commit(plan, answer)
    await mails.even()
    return answer


handler = Mangum(request_password_reset, lifespan="off", text_mime_types=TEXT)
