"""GET /auth/oauth/{provider}: begin to sign in through a provider: where to send the browser, or change nothing.

Anyone may, fifty times in a quarter of an hour from one address; counted in the same batch. The state is good once, for
ten minutes, and only together with the cookie that this browser gets. It and the nonce are kept as SHA-256 only.
"""

import secrets
from typing import Literal

from mangum import Mangum
from pydantic import Field

from api.auth import PUBLIC, hash_of
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.oauth_state import SECONDS, cookie, redirect_uri
from api.rate_limit import Limit
from api.shapes import Shape
from api.tries import network_of
from db.sql import Sql
from domain.refusals import Refusal
from providers.oauth import authorization_url, provider_of

BY_ADDRESS = Limit("oauth", quota=50, seconds=900)


class BeginOauthRequest(Shape):
    provider: Literal["github", "google"]


class Begun(Shape):
    authorization_url: str = Field(
        description="Send the browser there. It comes back to SHOP_URL/oauth/{provider} with `code` and `state`, for "
        "POST /auth/oauth/{provider}/callback."
    )


ADD_STATE = Sql("""
    INSERT INTO oauth_states (state_hash, provider, code_verifier, nonce, expires_at, created_at, updated_at)
    VALUES (:state_hash, :provider, :code_verifier, :nonce, :expires_at, :now, :now)
""")
FORGET_EXPIRED = Sql(
    """
    DELETE FROM oauth_states WHERE state_hash IN (
      SELECT state_hash FROM oauth_states WHERE expires_at <= :now ORDER BY expires_at LIMIT 10)
    """,
    "oauth_states_by_expires_at",
    "oauth_states.pk",
)


@endpoint("GET /auth/oauth/{provider}", permission=PUBLIC, errors=("not_found", "rate_limited"))
async def begin_oauth(request: BeginOauthRequest, call: Call) -> Answer[Begun]:
    provider = provider_of(request.provider, call.settings.oauth[request.provider])
    if provider is None:
        raise Refusal("not_found")
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    window = BY_ADDRESS.window(network_of(call), call.milliseconds)
    call.limited(window, 0)
    plan = [
        *window.counting(),
        FORGET_EXPIRED(now=call.now),
        ADD_STATE(
            state_hash=hash_of(state),
            provider=provider.name,
            code_verifier=verifier,
            nonce=hash_of(nonce),
            expires_at=call.later(SECONDS),
            now=call.now,
        ),
    ]
    url = authorization_url(provider, redirect_uri(call, provider.name), state, verifier, nonce)
    return await call.commit(plan, Answer({"authorization_url": url}, cookies=(cookie(call, state, SECONDS),)))


handler = Mangum(begin_oauth, lifespan="off", text_mime_types=TEXT)
