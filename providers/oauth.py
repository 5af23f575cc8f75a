"""Sign-in through GitHub and Google: the OAuth 2 code flow with PKCE, and OpenID Connect at Google.

Sources: RFC 6749, RFC 7636 (S256), RFC 9700, OpenID Connect Core 3.1. The ID token comes straight from the token
endpoint over TLS, which OpenID Connect Core 3.1.3.7 (6) lets stand in the place of its signature; all that it claims is
checked. An answer has a deadline and a size, and is never followed elsewhere.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

NAMES: Final = ("github", "google")
SECONDS: Final = 8
"""For all that a provider is asked in one sign-in."""
ANSWER_BYTES_MAX: Final = 262_144
_GITHUB: Final = "https://github.com"
_GOOGLE: Final = "https://accounts.google.com"
# What a provider says of a code that is wrong, used or not for this verifier; of anything else we are the cause, or it.
_BAD_CODE: Final = frozenset({"invalid_grant", "bad_verification_code"})


class Away(Exception):
    """The provider gave no answer in time, or none that makes sense."""


class Untrusted(Exception):
    """The provider said no, or said something that proves nobody's address."""


class Provider(NamedTuple):
    """A provider, as our application knows it."""

    name: str
    client_id: str
    client_secret: str
    authorize_url: str
    token_url: str
    api_url: str
    issuer: str
    scope: str


class Profile(NamedTuple):
    """Who somebody is to a provider: an address that it has verified, and what they call themselves."""

    account_id: str
    email: str
    first_name: str | None
    last_name: str | None


def provider_of(name: str, client: tuple[str, str, str]) -> Provider | None:
    """The provider `name`; `client` is the id and secret of our application, and where it is. None for a name that we
    do not know, or nobody may sign in through."""
    client_id, secret, url = client
    if not client_id:
        return None
    if name == "github":
        api = "https://api.github.com" if url == _GITHUB else f"{url}/api/v3"
        where = (f"{url}/login/oauth/authorize", f"{url}/login/oauth/access_token", api, "")
        return Provider(name, client_id, secret, *where, "read:user user:email")
    token_url = f"{url}/token" if url else "https://oauth2.googleapis.com/token"
    base = url or _GOOGLE
    return Provider(
        name, client_id, secret, f"{base}/o/oauth2/v2/auth", token_url, "", base, "openid email profile"
    )  # fmt: skip


def authorization_url(provider: Provider, redirect_uri: str, state: str, verifier: str, nonce: str) -> str:
    """Where the browser goes."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": provider.scope,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if provider.issuer:
        asked["nonce"] = nonce
    return f"{provider.authorize_url}?{urlencode(asked)}"


async def profile_of(
    provider: Provider, code: str, *, verifier: str, redirect_uri: str, nonce_hash: str, seconds: int
) -> Profile:
    """Who brings `code`, at the time `seconds` since 1970. Raises Away, and Untrusted."""
    return await asyncio.to_thread(_profile, provider, code, verifier, redirect_uri, nonce_hash, seconds)


def _profile(provider: Provider, code: str, verifier: str, redirect_uri: str, nonce_hash: str, seconds: int) -> Profile:
    import httpx

    from db.engines.deadline import ends_within, transport
    from db.engines.http import certificates

    sent = {
        "grant_type": "authorization_code",
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    made = transport(verify=certificates())
    try:
        with httpx.Client(transport=made, follow_redirects=False, trust_env=False) as client, ends_within(SECONDS):
            told = _granted(_asked(client, "POST", provider.token_url, data=sent))
            if provider.issuer:
                return _of_google(provider, told["id_token"], nonce_hash, seconds)
            token = {"authorization": f"Bearer {told['access_token']}"}
            user = _asked(client, "GET", f"{provider.api_url}/user", headers=token)
            emails = _asked(client, "GET", f"{provider.api_url}/user/emails?per_page=100", headers=token)
            return _of_github(user, emails)
    except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Away(type(error).__name__) from error


def _asked(client: Any, method: str, url: str, headers: dict[str, str] | None = None, **sent: Any) -> Any:
    """The JSON of an answer. Raises httpx.HTTPError, ValueError, and Away."""
    # Uncompressed, so that what arrives is as large as what it becomes.
    asking = {
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "tallystick",
        **(headers or {}),
    }
    with client.stream(method, url, headers=asking, timeout=SECONDS, **sent) as answer:
        found = bytearray()
        for chunk in answer.iter_raw():
            found += chunk
            if len(found) > ANSWER_BYTES_MAX:
                raise Away("too large")
        # 400 is how RFC 6749 tells of a bad code.
        if answer.status_code not in (200, 400):
            raise Away(f"status {answer.status_code}")
        told = json.loads(found)
        if answer.status_code == 400 and "error" not in told:
            raise Away("status 400")
        return told


def _granted(told: dict[str, Any]) -> dict[str, Any]:
    if "error" in told:
        raise Untrusted("code") if told["error"] in _BAD_CODE else Away(str(told["error"])[:100])
    return told


def _of_github(user: dict[str, Any], emails: list[dict[str, Any]]) -> Profile:
    """Raises Untrusted without a verified primary address."""
    account_id = user["id"]
    if type(account_id) is not int or not isinstance(emails, list):
        raise Away("form")
    proven = [one["email"] for one in emails if one["primary"] is True and one["verified"] is True]
    if len(proven) != 1:
        raise Untrusted("email")
    first, _, last = _text(user.get("name")).partition(" ")
    return Profile(str(account_id), str(proven[0]), _name(first), _name(last))


def _of_google(provider: Provider, token: str, nonce_hash: str, seconds: int) -> Profile:
    """Raises Untrusted for an ID token that is not of this sign-in, for us, and of a verified address."""
    import jwt

    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise Away("id token") from error
    audience = claims["aud"]
    audiences = audience if isinstance(audience, list) else [audience]
    issuers = {provider.issuer, "accounts.google.com"} if provider.issuer == _GOOGLE else {provider.issuer}
    party = claims.get("azp")
    nonce = hashlib.sha256(str(claims.get("nonce")).encode()).hexdigest()
    fits = {
        "iss": claims["iss"] in issuers,
        "aud": provider.client_id in audiences,
        "azp": party == provider.client_id or (party is None and len(audiences) == 1),
        "exp": type(claims["exp"]) is int and claims["exp"] > seconds,
        "nonce": hmac.compare_digest(nonce, nonce_hash),
        "email_verified": claims.get("email_verified") is True,
        "sub": isinstance(claims["sub"], str) and 0 < len(claims["sub"]) <= 255,
    }
    if not all(fits.values()):
        raise Untrusted(", ".join(name for name, right in fits.items() if not right))
    return Profile(
        claims["sub"], str(claims["email"]), _name(_text(claims.get("given_name"))),
        _name(_text(claims.get("family_name"))),
    )  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _name(text: str) -> str | None:
    """A name in one line, at most 100 characters; None for none."""
    plain = "".join(letter for letter in text if letter.isprintable())
    return plain.strip()[:100] or None
