"""POST /auth/verify-email: prove an address with the token that was mailed to it, or change nothing.

Whoever has the token. The account gets the password and the names that were sent with this very token and the role of a
customer; the orders that were placed as a guest with the address become its own. Each token is good once and for a day,
and the first that comes back makes the account's others worthless: a guard in the batch decides between two at once.
"""

from mangum import Mangum
from pydantic import Field

from api import trail
from api.auth import PUBLIC, hash_of
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.problems import Problem
from api.shapes import Shape
from db.sql import Sql, guard
from db.statements import people


class VerifyEmailRequest(Shape):
    token: str = Field(min_length=1, max_length=200, description="Of the link in the mail.")


TOKEN = Sql(
    """
    SELECT t.id, t.user_id, t.email FROM verification_tokens t JOIN live_users u ON u.id = t.user_id
    WHERE t.token_hash = :token_hash AND t.purpose = 'REGISTER' AND t.used_at IS NULL AND +t.expires_at > :now
      AND u.email_verified_at IS NULL
    """,
    "verification_tokens_token_once",
    "users.pk",
)
STILL_GOOD = Sql(
    guard(
        "EXISTS (SELECT 1 FROM verification_tokens t JOIN live_users u ON u.id = t.user_id "
        "WHERE t.id = :token_id AND t.used_at IS NULL AND u.email_verified_at IS NULL)",
        "token_used",
    ),
    "verification_tokens.pk",
    "users.pk",
)
VERIFY = Sql(
    """
    UPDATE users SET email = t.email, password_hash = t.password_hash, first_name = t.profile ->> 'first_name',
      last_name = t.profile ->> 'last_name', phone = t.profile ->> 'phone', email_verified_at = :now, updated_at = :now
    FROM verification_tokens t WHERE t.id = :token_id AND users.id = t.user_id
    """,
    "verification_tokens.pk",
    "users.pk",
)
ADD_ROLE = Sql(
    """
    INSERT INTO user_roles (user_id, role_id, assigned_at, created_at, updated_at)
    SELECT :user_id, id, :now, :now, :now FROM roles WHERE name = 'customer' ON CONFLICT DO NOTHING
    """,
    "roles_name_once",
)
# What the tokens carried goes with them.
VOID_TOKENS = Sql(
    """
    UPDATE verification_tokens SET used_at = :now, password_hash = NULL, profile = '{}', updated_at = :now
    WHERE user_id = :user_id AND used_at IS NULL
    """,
    "verification_tokens_by_user",
)


@endpoint("POST /auth/verify-email", status=204, permission=PUBLIC, errors=("token_used",))
async def verify_email(request: VerifyEmailRequest, call: Call) -> Answer[None]:
    [found] = await call.read(TOKEN(token_hash=hash_of(request.token), now=call.now))
    if not found:
        raise Problem("token_used")
    token, now = found[0], call.now
    whose = {"user_id": token["user_id"], "now": now}
    plan = [
        STILL_GOOD(token_id=token["id"]),
        VERIFY(token_id=token["id"], now=now),
        VOID_TOKENS(**whose),
        ADD_ROLE(**whose),
        people.END_SESSIONS(**whose, keep=None),
        people.CLAIM_ORDERS(**whose, email=token["email"]),
        *trail.security_event(call, "email_verified", token["user_id"]),
    ]
    return await call.commit(plan, Answer(None))


handler = Mangum(verify_email, lifespan="off", text_mime_types=TEXT)
