"""The state of a sign-in that has gone to a provider: bound to the browser that began it, and good once."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from api.auth import cookie_of

if TYPE_CHECKING:
    from api.call import Call

SECONDS: Final = 600
COOKIE: Final = "oauth_state"


def redirect_uri(call: Call, provider: str) -> str:
    """The page of the shop that a browser comes back to; to be registered with the provider, word for word."""
    return f"{call.settings.shop_url}/oauth/{provider}"


def cookie(call: Call, state: str, seconds: int) -> str:
    """Lax, because the browser comes back from another site. With 0 seconds it ends."""
    secure = "" if call.settings.shop_url.startswith("http://") else "; Secure"
    return f"{COOKIE}={state}; Max-Age={seconds}; Path=/auth/oauth; HttpOnly; SameSite=Lax{secure}"


def is_own(call: Call, state: str) -> bool:
    """Whether the browser that began it is the one that sends `state`."""
    known = cookie_of(call.asked.headers, COOKIE)
    return known is not None and hmac.compare_digest(known.encode(), state.encode())
