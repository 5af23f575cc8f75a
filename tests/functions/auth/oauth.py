"""Browsers that sign in through the provider on loopback."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from api.settings import settings
from tests.functions.auth.support import cookie
from tests.providers.provider import CLIENT, Provider
from tests.shop import Reply, Shop

STATES = "oauth_states"


def set_up(shop: Shop, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop's environment says that people sign in through `provider`."""
    for name in ("GITHUB", "GOOGLE"):
        monkeypatch.setenv(f"{name}_CLIENT_ID", CLIENT[0])
        monkeypatch.setenv(f"{name}_CLIENT_SECRET", CLIENT[1])
        monkeypatch.setenv(f"{name}_URL", provider.url)
    settings.cache_clear()


class Browser(NamedTuple):
    """One that was sent to the provider and came back: what it knows of the state by its cookie, and what it brings."""

    shop: Shop
    name: str
    cookie: str
    code: str
    state: str

    def finish(self, **more: Any) -> Reply:
        """POST the callback; `more` replaces what it brings, `cookie` what the browser knows."""
        known, cart_token = more.pop("cookie", self.cookie), more.pop("cart_token", None)
        headers = {"cookie": f"oauth_state={known}"} if known is not None else {}
        body = {"code": self.code, "state": self.state, **more}
        return self.shop.post(f"/auth/oauth/{self.name}/callback", body, headers=headers, cart_token=cart_token)


def begin(shop: Shop, provider: Provider, name: str = "github") -> Browser:
    reply = shop.get(f"/auth/oauth/{name}")
    assert reply.status == 200, reply.text
    back = provider.browse(reply.body["authorization_url"])
    return Browser(shop, name, cookie(reply, "oauth_state")[0], back["code"], back["state"])


def signed_in(shop: Shop, provider: Provider, name: str = "github", **more: Any) -> Any:
    """The body of a sign-in that must succeed."""
    reply = begin(shop, provider, name).finish(**more)
    assert reply.status == 200, reply.text
    return reply.body
