"""POST /me/two-factor: a new secret for an authenticator app, not in use until it is confirmed, or change nothing.

A person, for themselves, who showed their password a moment ago: a stolen session must not become a second factor of
the thief's. Started again before it is confirmed, the new secret takes the place of the one before; whoever confirms
that one meanwhile makes this line run again, which then finds the factor on.
"""

from urllib.parse import urlsplit

from mangum import Mangum
from pydantic import Field

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.problems import Problem
from api.second_factor import new_secret
from api.shapes import Shape
from db.statements import people, two_factor
from domain.totp import uri_of


class StartTwoFactorRequest(Shape):
    pass


class NewTwoFactor(Shape):
    secret: str = Field(description="In base 32, for who types it into the app. Shown once.")
    otpauth_uri: str = Field(description="The same for a QR code.", examples=["otpauth://totp/…"])


@endpoint("POST /me/two-factor", status=201, permission=PERSON, step_up=True, errors=("two_factor_enabled",))
async def start_two_factor(request: StartTwoFactorRequest, call: Call) -> Answer[NewTwoFactor]:
    [[user]] = await call.read(people.USER_BY_ID(user_id=call.user_id))
    if user["two_factor_enabled_at"] is not None:
        raise Problem("two_factor_enabled")
    secret = new_secret()
    plan = [
        two_factor.AS_READ(user_id=user["id"], secret=user["two_factor_secret"], enabled_at=None),
        two_factor.SET(user_id=user["id"], secret=secret, enabled_at=None, step=0, now=call.now),
    ]
    issuer = urlsplit(call.settings.shop_url).hostname or ""
    return await call.commit(plan, Answer({"secret": secret, "otpauth_uri": uri_of(secret, user["email"], issuer)}))


handler = Mangum(start_two_factor, lifespan="off", text_mime_types=TEXT)
