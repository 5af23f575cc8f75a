"""What the local server answers besides the endpoints: the documentation's pages, the counters, the demo's pictures.

The viewer comes from an installed package and loads nothing from elsewhere; its page holds no inline script, so the
policy that it is sent with allows none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from api import telemetry
from cli.pictures import picture

Headers = list[tuple[bytes, bytes]]

POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Opened by itself a picture is a document, and may load and run nothing either.
PICTURE_HEADERS: Final[Headers] = [
    (b"content-type", b"image/svg+xml"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"public, max-age=86400"),
]
KINDS: Final = {"css": b"text/css; charset=utf-8", "js": b"text/javascript; charset=utf-8", "png": b"image/png"}
ASSETS: Final = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
DOCS: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tallystick API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<noscript>This page needs JavaScript; the same as data: <a href="openapi.json">openapi.json</a></noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
# validatorUrl: null keeps the viewer from asking a validator on the internet.
START: Final = """window.ui = SwaggerUIBundle({
  url: "openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null, displayRequestDuration: true,
  defaultModelsExpandDepth: 0, presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout"
});
"""


class Page(NamedTuple):
    """A page's status, headers and body."""

    status: int
    headers: Headers
    body: bytes


def page(path: str, accept: bytes) -> Page | None:
    """The page at `path`, None if there is none. A browser at `/`, known by its Accept header, is sent to the docs."""
    make = _PAGES.get(path)
    if make is not None:
        return make()
    if path == "/":
        return Page(307, [(b"location", b"docs")], b"") if b"text/html" in accept else _front()
    if path.startswith("/docs/") and path[6:] in ASSETS:
        return _asset(path[6:])
    drawn = picture(path)
    return Page(200, PICTURE_HEADERS, drawn) if drawn is not None else None


def _front() -> Page:
    links = {"name": "Tallystick", "docs": "/docs", "openapi": "/openapi.json", "health": "/health"}
    return Page(200, [(b"content-type", b"application/json")], json.dumps(links).encode())


def _metrics() -> Page:
    kind = b"text/plain; version=0.0.4; charset=utf-8"
    return Page(200, [(b"content-type", kind), (b"cache-control", b"no-store")], telemetry.prometheus().encode())


def _docs() -> Page:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", POLICY),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-cache"),
    ]
    return Page(200, headers, DOCS.encode())


def _start() -> Page:
    return Page(200, [(b"content-type", KINDS["js"]), (b"cache-control", b"no-cache")], START.encode())


@lru_cache(maxsize=len(ASSETS))
def _asset(name: str) -> Page:
    from openapi_ui_bundles import swagger_ui

    headers = [
        (b"content-type", KINDS[name.rpartition(".")[2]]),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"max-age=86400"),
    ]
    return Page(200, headers, Path(swagger_ui.static_path, name).read_bytes())


_PAGES: Final[dict[str, Callable[[], Page]]] = {
    "/metrics": _metrics,
    "/docs": _docs,
    "/docs/start.js": _start,
}
