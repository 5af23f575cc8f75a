"""A provider of sign-in on loopback: GitHub and Google as their documents describe them, with every way to go wrong.

It keeps the codes that it gave, checks the application, the redirect and the PKCE verifier itself, and takes a code
once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt

CLIENT = ("the-shop", "the-shop-s-secret")


class Provider:
    """What it says is what these hold; `asked` are the paths in the order they were asked."""

    def __init__(self) -> None:
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: set[str] = set()
        self.asked: list[str] = []
        self.lock = threading.Lock()
        self.user: Any = {"id": 4711, "login": "eleni", "name": "Eleni Papadopoulou"}
        self.emails: Any = [
            {"email": "old@example.com", "primary": False, "verified": True},
            {"email": "eleni@example.com", "primary": True, "verified": True},
        ]
        self.claims: dict[str, Any] = {}
        """Claims of the ID token that differ; None leaves one out."""
        self.answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        """By path: another answer than the right one."""
        self.seconds = 0.0
        """How long it waits in the midst of each answer."""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def browse(self, authorization_url: str) -> dict[str, str]:
        """What a browser that consents comes back with: `code` and `state`."""
        answer = httpx.get(authorization_url, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        return {name: one for name, [one] in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def authorize(self, query: dict[str, str]) -> str:
        """The address to redirect to."""
        assert query["response_type"] == "code" and query["client_id"] == CLIENT[0]
        assert query["code_challenge_method"] == "S256" and len(query["code_challenge"]) == 43
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        google = path == "/token"
        with self.lock:
            asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (form.get("client_id"), form.get("client_secret")) != CLIENT:
            return (400, {"error": "invalid_client"}) if google else (200, {"error": "incorrect_client_credentials"})
        if (
            asked is None
            or asked["code_challenge"] != base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
            or form.get("redirect_uri") != asked["redirect_uri"]
            or form.get("grant_type") != "authorization_code"
        ):
            return (400, {"error": "invalid_grant"}) if google else (200, {"error": "bad_verification_code"})
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        told: dict[str, Any] = {"access_token": token, "token_type": "bearer", "scope": asked["scope"]}
        if google:
            told["id_token"] = self.id_token(asked["nonce"])
        return 200, told

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT[0], "azp": CLIENT[0], "sub": "110169484474386276334", "nonce": nonce,
            "iat": now, "exp": now + 3600, "email": "eleni@example.com", "email_verified": True,
            "given_name": "Eleni", "family_name": "Papadopoulou", **self.claims,
        }  # fmt: skip
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, "a key that nobody of us knows, 32 bytes", algorithm="HS256")

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        path = urlsplit(target).path
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        query = {name: one for name, [one] in parse_qs(urlsplit(target).query).items()}
        if path in ("/login/oauth/authorize", "/o/oauth2/v2/auth"):
            return 302, b"", {"location": self.authorize(query)}
        if path in ("/login/oauth/access_token", "/token") and method == "POST":
            form = {name: one for name, [one] in parse_qs(body.decode()).items()}
            status, told = self.token(path, form)
            return status, json.dumps(told).encode(), {}
        known = headers.get("authorization", "").removeprefix("Bearer ") in self.tokens
        if not known or path not in ("/api/v3/user", "/api/v3/user/emails"):
            return 401, b'{"message": "Bad credentials"}', {}
        return 200, json.dumps(self.user if path.endswith("user") else self.emails).encode(), {}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, told, headers = provider.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in {"content-type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(told)))
                self.end_headers()
                try:
                    self.wfile.write(told[:1])
                    self.wfile.flush()
                    time.sleep(provider.seconds)
                    self.wfile.write(told[1:])
                except OSError:
                    return  # who asked has gone

            do_GET = do_POST = _do

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


@contextmanager
def provider() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()
