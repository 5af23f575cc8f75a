"""POST /auth/verify-email: prove an address with the token that was mailed to it, or change nothing.

Whoever has the token, and says the password anew: anybody may have registered the address, and only who reads its mail
brings the token. If it is another password than was sent with the token, that one and the names with it were a
stranger's, and are dropped. The account gets the role of a customer, and the orders that were placed as a guest with
the address. Each token is good once and for a day, and the first that comes back makes the account's others worthless:
a guard in the batch decides between two at once.
"""

from mangum import Mangum
from pydantic import Field

from api import trail
from api.auth import PUBLIC, hash_of
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.passwords import Password, check_password, hash_password, verify_password
from api.problems import Problem
from api.shapes import Shape
from db.sql import Sql, guard
from db.statements import people


class VerifyEmailRequest(Shape):
    token: str = Field(min_length=1, max_length=200, description="Of the link in the mail.")
    password: Password


TOKEN = Sql(
    """
    SELECT t.id, t.user_id, t.email, t.password_hash FROM verification_tokens t JOIN live_users u ON u.id = t.user_id
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
    UPDATE users SET email = t.email, password_hash = :password_hash,
      first_name = CASE WHEN :own THEN t.profile ->> 'first_name' END,
      last_name = CASE WHEN :own THEN t.profile ->> 'last_name' END,
      phone = CASE WHEN :own THEN t.profile ->> 'phone' END, email_verified_at = :now, updated_at = :now
    FROM verification_tokens t WHERE t.id = :token_id AND users.id = t.user_id
    """,
    "verification_tokens.pk",
    "users.pk",
)


@endpoint("POST /auth/verify-email", status=204, permission=PUBLIC, errors=("token_used",))
async def verify_email(request: VerifyEmailRequest, call: Call) -> Answer[None]:
    [found] = await call.read(TOKEN(token_hash=hash_of(request.token), now=call.now))
    if not found:
        raise Problem("token_used")
    token, now = found[0], call.now
    check_password(request.password, token["email"])
    cost = call.settings.bcrypt_cost
    own = await verify_password(request.password, token["password_hash"], cost)
    hashed = token["password_hash"] if own else await hash_password(request.password, cost)
    whose = {"user_id": token["user_id"], "now": now}
    plan = [
        STILL_GOOD(token_id=token["id"]),
        VERIFY(token_id=token["id"], password_hash=hashed, own=int(own), now=now),
        people.VOID_TOKENS(**whose),
        people.ADD_CUSTOMER(**whose),
        people.END_SESSIONS(**whose, keep=None),
        people.CLAIM_ORDERS(**whose, email=token["email"]),
        *trail.security_event(call, "email_verified", token["user_id"]),
    ]
    return await call.commit(plan, Answer(None))


handler = Mangum(verify_email, lifespan="off", text_mime_types=TEXT)
