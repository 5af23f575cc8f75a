"""RFC 6238 appendix B, and which steps a code is taken for."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.totp import code_at, step_of, uri_of

# The seed of the RFC's tables is as long as the hash (its erratum 2866).
SEED = b"1234567890" * 7
DIGESTS: dict[str, tuple[Callable[..., Any], int]] = {
    "SHA1": (hashlib.sha1, 20), "SHA256": (hashlib.sha256, 32), "SHA512": (hashlib.sha512, 64),
}  # fmt: skip
# Appendix B: time in seconds, its step T in hex, and the code of 8 digits by each hash.
VECTORS = [
    (59, "0000000000000001", "94287082", "46119246", "90693936"),
    (1111111109, "00000000023523EC", "07081804", "68084774", "25091201"),
    (1111111111, "00000000023523ED", "14050471", "67062674", "99943326"),
    (1234567890, "000000000273EF07", "89005924", "91819424", "93441116"),
    (2000000000, "0000000003F940AA", "69279037", "90698825", "38618901"),
    (20000000000, "0000000027BC86AA", "65353130", "77737706", "47863826"),
]
SECRET = base64.b32encode(SEED[:20]).decode()


@pytest.mark.parametrize(("seconds", "step", "sha1", "sha256", "sha512"), VECTORS)
def test_the_vectors_of_the_rfc(seconds: int, step: str, sha1: str, sha256: str, sha512: str) -> None:
    assert seconds // 30 == int(step, 16)
    for name, told in (("SHA1", sha1), ("SHA256", sha256), ("SHA512", sha512)):
        digest, length = DIGESTS[name]
        secret = base64.b32encode(SEED[:length]).decode()
        assert code_at(secret, seconds // 30, digits=8, digest=digest) == told
    assert step_of(SECRET, sha1[-6:], seconds, 0) == seconds // 30


@pytest.mark.parametrize("off", range(-3, 4))
def test_of_the_steps_around_one_each_is_taken(off: int) -> None:
    seconds = 1_234_567_890
    step = seconds // 30 + off
    assert step_of(SECRET, code_at(SECRET, step), seconds, 0) == (step if abs(off) <= 1 else None)


def test_a_step_is_good_once_and_so_are_those_before_it() -> None:
    seconds = 1_234_567_890
    present = seconds // 30
    for used in (present - 1, present, present + 1):
        taken = [
            step for step in range(present - 1, present + 2) if step_of(SECRET, code_at(SECRET, step), seconds, used)
        ]
        assert taken == list(range(used + 1, present + 2))


@pytest.mark.parametrize("code", ["", "00000", "0059240", "005924 ", "５", "x" * 6, "-00592"])
def test_nothing_else_is_a_code(code: str) -> None:
    assert code_at(SECRET, 1_234_567_890 // 30) == "005924"
    assert step_of(SECRET, code, 1_234_567_890, 0) is None


def test_at_the_beginning_of_time_there_is_no_step_before() -> None:
    assert step_of(SECRET, code_at(SECRET, 0), 0, -1) == 0


def test_an_app_is_told_everything_by_the_uri() -> None:
    uri = urlsplit(uri_of(SECRET, "eleni+shop@example.com", "shop.example"))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/shop.example:eleni%2Bshop%40example.com")
    assert parse_qs(uri.query) == {"secret": [SECRET], "issuer": ["shop.example"]}
