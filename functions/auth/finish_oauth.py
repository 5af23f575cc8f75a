"""POST /auth/oauth/{provider}/callback: open a session for who comes back from a provider, or change nothing but that
the state is used up (and the count of tries, where there is a second factor).

Anyone may, with the state's cookie. The state is taken in a batch of its own before the provider is asked anything, so
that of two at once one is refused. Who is read and linked may change meanwhile; then that part is done again with what
the provider said, whose code is good only once. A user with a second factor shows it here, too. A guest's cart, named
by X-Cart-Token, is merged as at a log-in.
"""

import re
from typing import Literal

from mangum import Mangum
from pydantic import Field

from api import telemetry, trail
from api.auth import PUBLIC, hash_of
from api.call import Answer, Call, Told, dumps
from api.cart_merge import merging
from api.endpoint import TEXT, endpoint
from api.linking import TOKENS, Known, Signing, linking, shown_with, signing
from api.oauth_state import cookie, is_own, redirect_uri
from api.people_shapes import Tokens
from api.problems import Problem
from api.second_factor import Code, judged
from api.sessions import opening
from api.shapes import EMAIL_FORM, Flag, Shape
from api.spoken import Rerun
from db.helper import Row
from db.sql import Sql, guard
from domain.refusals import Refusal
from providers.oauth import Away, Provider, Untrusted, profile_of, provider_of

ATTEMPTS_MAX = 3
EMAIL_BYTES_MAX = 254


class FinishOauthRequest(Shape):
    provider: Literal["github", "google"]
    code: str = Field(min_length=1, max_length=2_000, pattern=r"^[\x20-\x7e]+$", description="As the provider sent it.")
    state: str = Field(min_length=1, max_length=100, pattern=r"^[\x20-\x7e]+$", description="As the provider sent it.")
    two_factor_code: Code | None = Field(
        default=None,
        description="Of who has a second factor. After `two_factor_required` begin anew, and send it with what comes.",
    )
    cookies: Flag = Field(
        default=False, description="For a browser: the tokens come as HttpOnly cookies, and csrf_token in the body."
    )


_STATE = "FROM oauth_states WHERE state_hash = :state_hash AND provider = :provider"
STATE = Sql(f"SELECT code_verifier, nonce {_STATE}", "oauth_states.pk")
STATE_GOOD = Sql(guard(f"EXISTS (SELECT 1 {_STATE} AND expires_at > :now)", "invalid_credentials"), "oauth_states.pk")
TAKE_STATE = Sql(f"DELETE {_STATE}", "oauth_states.pk")


@endpoint(
    "POST /auth/oauth/{provider}/callback",
    permission=PUBLIC,
    headers=("X-Cart-Token",),
    errors=("not_found", "invalid_credentials", "two_factor_required", "rate_limited", "provider_unavailable"),
)
async def finish_oauth(request: FinishOauthRequest, call: Call) -> Answer[Tokens]:
    provider = provider_of(request.provider, call.settings.oauth[request.provider])
    if provider is None:
        raise Refusal("not_found")
    await call.judged()
    if not is_own(call, request.state):
        raise Problem("invalid_credentials")
    state = {"state_hash": hash_of(request.state), "provider": provider.name}
    taken = await call.write([STATE(**state), STATE_GOOD(**state, now=call.now), TAKE_STATE(**state)])
    known = await _known(provider, request, taken[0][0], call)
    for _ in range(ATTEMPTS_MAX):
        who = signing(await call.read(*known.asked_for()))
        try:
            return await _opened(who, known, request, call)
        except Rerun:
            continue
    raise Problem("busy")


async def _known(provider: Provider, request: FinishOauthRequest, state: Row, call: Call) -> Known:
    """What the provider says of who comes back."""
    asked = {"verifier": state["code_verifier"], "redirect_uri": redirect_uri(call, provider.name)}
    try:
        profile = await profile_of(
            provider, request.code, **asked, nonce_hash=state["nonce"], seconds=call.milliseconds // 1000
        )  # fmt: skip
    except Away as error:
        telemetry.log.error("provider away", extra={"facts": {"provider": provider.name, "reason": str(error)}})
        raise Problem("provider_unavailable") from error
    except Untrusted as error:
        raise Problem("invalid_credentials") from error
    if len(profile.email) > EMAIL_BYTES_MAX or re.fullmatch(EMAIL_FORM, profile.email) is None:
        raise Problem("invalid_credentials")
    return Known(provider.name, *profile)


async def _opened(who: Signing, known: Known, request: FinishOauthRequest, call: Call) -> Answer[Tokens]:
    user, shown, stepped_up = who.user, [], True  # who has nothing else to show has shown just now what there is
    if user is not None and who.is_proven:
        protected = user["two_factor_enabled_at"] is not None
        shown = await shown_with(user, request.two_factor_code, call) if protected else judged(user, None, call)
        stepped_up = protected or user["password_hash"] is None
    user_id = user["id"] if user else call.id("user")
    session = opening(call, user_id, stepped_up=stepped_up, cookies=request.cookies)
    plan = [
        *linking(who, known, user_id, call),
        *shown,
        *session.statements,
        *merging(call, user_id),
        *trail.security_event(call, "log_in", user_id, session_id=session.session_id, provider=known.provider),
    ]
    body = Told(TOKENS, {"members": dumps(session.handed.members), "user_id": user_id})
    return await call.commit(plan, Answer(body, cookies=(*session.handed.cookies, cookie(call, "", 0))))


handler = Mangum(finish_oauth, lifespan="off", text_mime_types=TEXT)
