"""Access tokens: whatever is wrong with one, the answer is the same 401, and nothing is written."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest

from api import clock, tokens
from api.problems import Problem
from api.settings import settings
from api.tokens import Session, csrf_token, is_csrf_token, read_access_token, write_access_token
from tests.shop import Shop

SECRETS = (b"the-first-secret-of-32-bytes-or-so", b"the-second-secret-of-32-bytes-or-so")
WHO = Session("user_1", "session_1")
NOW = 1_795_251_600_000
RSA_HEADERS = ("RS256", "ES256", "PS256", "EdDSA", "HS384", "HS512")


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: dict[str, Any], key: bytes, digest: str = "sha256") -> str:
    body = f"{part(header)}.{part(claims)}"
    return f"{body}.{part(hmac.digest(key, body.encode(), digest))}"


class Forger:
    """A person's good token, and what can be made of it without the key, or with it."""

    def __init__(self, shop: Shop) -> None:
        good = shop.session(shop.user("admin"))
        self.good, self.header = good, jwt.get_unverified_header(good)
        self.claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
        self.kid = self.header["kid"]
        self.key = tokens._keys(settings().secret_key)[self.kid]

    def with_claims(self, **changed: Any) -> str:
        """Signed with the right key. None takes a claim away."""
        return signed(self.header, {k: v for k, v in {**self.claims, **changed}.items() if v is not None}, self.key)

    def with_header(self, key: bytes | None = None, **changed: Any) -> str:
        header = {k: v for k, v in {**self.header, **changed}.items() if v is not None}
        return signed(header, self.claims, self.key if key is None else key)

    def all(self) -> dict[str, str]:
        head, body, signature = self.good.split(".")
        now = self.claims["iat"]
        made = {
            f"alg {alg}": f"{part({**self.header, 'alg': alg})}.{body}." for alg in ("none", "None", "NONE", "nOnE")
        }
        made |= {f"alg {alg} signed": self.with_header(alg=alg) for alg in ("none", "", None, *RSA_HEADERS)}
        publics = {"kid": self.kid, "empty": "", "issuer": tokens.ISSUER, "audience": tokens.AUDIENCE}
        made |= {f"HS256 by the {name}": self.with_header(key.encode()) for name, key in publics.items()}
        kids = (
            "unknown",
            "",
            None,
            0,
            ["x"],
            {"x": 1},
            "../../dev/null",
            "/dev/null",
            "' OR 1 --",
            "x' UNION SELECT 1",
        )
        made |= {f"kid {kid}": self.with_header(b"", kid=kid) for kid in kids}
        made["kid of a path, signed"] = self.with_header(kid="../../dev/null")
        made["jku alone"] = self.with_header(b"mine", kid=None, jku="https://evil.example/keys")
        made["x5u alone"] = self.with_header(b"mine", x5u="https://evil.example/cert")
        made["jwk"] = self.with_header(b"mine", jwk={"kty": "oct", "k": part(b"mine")})
        made["crit"] = self.with_header(crit=["exp"])
        made |= {f"no {claim}": self.with_claims(**{claim: None}) for claim in tokens.REQUIRED}
        made["expired"] = self.with_claims(exp=now - 1)
        made["not yet"] = self.with_claims(nbf=now + 3600)
        made |= {f"aud {aud}": self.with_claims(aud=aud) for aud in ("another", "", [], ["another"])}
        made |= {f"iss {iss}": self.with_claims(iss=iss) for iss in ("another", "")}
        no_times: tuple[Any, ...] = ("never", [], 1e400)
        made |= {f"exp {exp!r}": self.with_claims(exp=exp) for exp in no_times}
        made["another user"] = self.with_claims(sub="user_01kaktq2m8e8q8k3v9m1c4x7zd")
        made["another session"] = self.with_claims(sid="session_01kaktq2m8e8q8k3v9m1c4x7zd")
        made["signature cut"] = self.good[:-1]
        made["signature half"] = f"{head}.{body}.{signature[:20]}"
        made["no signature"] = f"{head}.{body}."
        made["two parts"] = f"{head}.{body}"
        made["four parts"] = f"{self.good}.{signature}"
        made["claims changed"] = f"{head}.{part({**self.claims, 'sub': 'user_1'})}.{signature}"
        made["another secret"] = write_access_token(
            SECRETS, Session(self.claims["sub"], self.claims["sid"]), now * 1000, 900
        )
        made["nested"] = f"{part({**self.header, 'cty': 'JWT'})}.{part(self.good.encode())}.{signature}"
        made |= {"empty": "", "dots": "..", "no JSON": f"{part(b'x')}.{part(b'y')}.{part(b'z')}", "long": "x" * 5000}
        return made


def test_one_and_the_same_401_whatever_is_wrong(shop: Shop) -> None:
    forger = Forger(shop)
    unknown = shop.get("/orders", headers={"authorization": "Bearer sk_unknown"})
    assert unknown.status == 401
    forged = forger.all()
    assert len(forged) > 60
    with shop.unchanged():
        told = {name: shop.get("/orders", headers={"authorization": f"Bearer {one}"}) for name, one in forged.items()}
        in_cookies = {
            name: shop.get("/orders", headers={"cookie": f"access_token={one}"}) for name, one in forged.items()
        }
    assert {name: (one.status, one.text) for name, one in told.items() if one.text != unknown.text} == {}
    assert {name: one.text for name, one in in_cookies.items() if one.text != unknown.text} == {}
    assert shop.get("/orders", token=forger.good).status == 200  # else the rest proves nothing


def test_the_right_key_and_claims_made_by_hand_are_taken(shop: Shop) -> None:
    forger = Forger(shop)
    for harmless in (forger.with_claims(extra=1), forger.with_header(jku="https://evil.example/keys")):
        assert shop.get("/orders", token=harmless).status == 200


def test_a_token_ends_with_the_shop_s_clock(shop: Shop) -> None:
    token = shop.session(shop.user("admin"))
    shop.clock(899)
    assert shop.get("/orders", token=token).status == 200
    shop.clock(2)
    assert shop.get("/orders", token=token).status == 401


def test_a_token_says_who_and_for_how_long() -> None:
    token = write_access_token(SECRETS, WHO, NOW, 900)
    assert read_access_token(SECRETS, token, NOW) == WHO
    assert read_access_token(SECRETS, token, NOW + 899_999) == WHO
    for moment in (NOW - 1000, NOW + 900_000):
        with pytest.raises(Problem):
            read_access_token(SECRETS, token, moment)
    assert jwt.get_unverified_header(token)["alg"] == "HS256"


def test_a_rotation_logs_nobody_out() -> None:
    old = write_access_token(SECRETS[1:], WHO, NOW, 900)
    assert read_access_token(SECRETS, old, NOW) == WHO
    new = write_access_token(SECRETS, WHO, NOW, 900)
    assert jwt.get_unverified_header(new)["kid"] != jwt.get_unverified_header(old)["kid"]
    with pytest.raises(Problem):
        read_access_token(SECRETS[1:], new, NOW)
    with pytest.raises(Problem):  # once the old secret is taken out, its tokens are over
        read_access_token(SECRETS[:1], old, NOW)


def test_neither_the_kid_nor_another_use_of_the_secret_gives_the_key_away() -> None:
    [(kid, key), *_] = tokens._keys(SECRETS).items()
    assert key not in SECRETS
    assert kid == hashlib.sha256(key).hexdigest()[:16]
    assert csrf_token(SECRETS, "session_1") != hmac.new(key, b"session_1", hashlib.sha256).hexdigest()


def test_a_csrf_token_is_of_one_session() -> None:
    token = csrf_token(SECRETS, "session_1")
    assert is_csrf_token(SECRETS, "session_1", token)
    assert is_csrf_token(SECRETS, "session_1", csrf_token(SECRETS[1:], "session_1"))
    for wrong in ("", token[:-1], f"{token}0", token.upper(), "ä", csrf_token(SECRETS, "session_2")):
        assert not is_csrf_token(SECRETS, "session_1", wrong)


def test_the_clock_is_the_shop_s() -> None:
    assert (
        read_access_token(
            SECRETS, write_access_token(SECRETS, WHO, clock.milliseconds_now(), 60), clock.milliseconds_now()
        )
        == WHO
    )
