"""POST /auth/register: send a link that proves an e-mail address and makes it an account, or change nothing.

Anyone may, and for every address the answer is the same after the same work: whoever already has an account is told so
by mail. Until the link is followed the account has no password: each link carries the one that was sent with it, so
that nobody's becomes good for an address that is not theirs. Three mails an hour to an address; fifty in a quarter of
an hour from one client's. Of two at once for a new address the second finds the first's account and adds its link.
"""

import secrets
from typing import Final, Literal

from mangum import Mangum
from pydantic import Field

from api import trail
from api.auth import PUBLIC, hash_of
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.mail import mail
from api.passwords import Password, check_password, hash_password
from api.people_shapes import Email, Name
from api.shapes import Phone, Shape
from api.tries import Mails
from db.sql import Sql, guard

GOOD_FOR_SECONDS: Final = 86_400


class RegisterUserRequest(Shape):
    email: Email
    password: Password
    first_name: Name | None = None
    last_name: Name | None = None
    phone: Phone | None = None


class Sent(Shape):
    status: Literal["sent"] = Field(description="Mail is on its way to whoever has the address.")


REGISTERED = Sql("SELECT id, email_verified_at FROM live_users WHERE lower(email) = lower(:email)", "users_email_once")
# Null: nobody had the address.
AS_READ = Sql(
    guard(
        "(SELECT id || coalesce(email_verified_at, '') FROM live_users WHERE lower(email) = lower(:email)) IS :found",
        "stale",
        "'users'",
    ),
    "users_email_once",
)
ADD_USER = Sql("INSERT INTO users (id, email, created_at, updated_at) VALUES (:user_id, :email, :now, :now)")
ADD_TOKEN = Sql("""
    INSERT INTO verification_tokens (id, user_id, purpose, email, token_hash, password_hash, profile, expires_at,
      created_at, updated_at)
    VALUES (:id, :user_id, 'REGISTER', :email, :token_hash, :password_hash, :profile, :expires_at, :now, :now)
""")


@endpoint("POST /auth/register", status=202, permission=PUBLIC, errors=("rate_limited",))
async def register_user(request: RegisterUserRequest, call: Call) -> Answer[Sent]:
    await call.judged()
    check_password(request.password, request.email)
    answer = Answer[Sent]({"status": "sent"})
    [found], room = await Mails(call, request.email).counted(REGISTERED(email=request.email))
    if not room:
        return answer
    password_hash = await hash_password(request.password, call.settings.bcrypt_cost)
    user = found[0] if found else None
    user_id, token, email = user["id"] if user else call.id("user"), secrets.token_urlsafe(32), request.email
    as_read = user["id"] + (user["email_verified_at"] or "") if user else None
    plan = [AS_READ(email=email, found=as_read)]
    if user is None:
        plan.append(ADD_USER(user_id=user_id, email=email, now=call.now))
    if user and user["email_verified_at"]:
        plan.append(mail(call, "already_registered", user_id, email))
    else:
        adding = {
            "id": call.id("token"),
            "user_id": user_id,
            "email": email,
            "token_hash": hash_of(token),
            "password_hash": password_hash,
            "profile": dumps(request.model_dump(include={"first_name", "last_name", "phone"})),
            "expires_at": call.later(GOOD_FOR_SECONDS),
        }
        plan += [ADD_TOKEN(**adding, now=call.now), mail(call, "verify_email", user_id, email, token=token)]
    plan += trail.security_event(call, "registration", user_id)
    return await call.commit(plan, answer)


handler = Mangum(register_user, lifespan="off", text_mime_types=TEXT)
