"""The pictures of the demo shop: drawn from their names, so that no file has to be kept for a product nobody sells."""

from __future__ import annotations

import colorsys
import hashlib
import re
import textwrap
from html import escape
from typing import Final

PATH: Final = re.compile(r"/media/demo/([a-z0-9-]{1,100})\.svg")
SIDE: Final = 800
LINE_LETTERS: Final = 14
LETTER_WIDTH: Final = 0.6
"""Of a letter's height, on average; a sans-serif one is narrower."""
INK: Final = "#2b2b2b"


def picture(path: str) -> bytes | None:
    """The SVG of `/media/demo/NAME.svg`, None for any other path. NAME: 1 to 100 of a-z, 0-9 and the hyphen."""
    found = PATH.fullmatch(path)
    return drawn(found[1]).encode() if found else None


def drawn(name: str) -> str:
    """A square of one pale colour, the same for the same name, and the name in words. No style, no script, no link."""
    words = " ".join(name.split("-")).strip().capitalize() or name
    lines = textwrap.wrap(words, LINE_LETTERS)
    size = min(88, round(SIDE * 0.85 / (max(map(len, lines)) * LETTER_WIDTH)), round(SIDE * 0.85 / (len(lines) * 1.25)))
    first = SIDE / 2 - (len(lines) - 1) * size * 1.25 / 2
    spoken = "".join(
        f'<tspan x="{SIDE // 2}" y="{round(first + number * size * 1.25)}">{escape(line)}</tspan>'
        for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" height="{SIDE}" '
        f'role="img" aria-label="{escape(words)}"><rect width="{SIDE}" height="{SIDE}" fill="{colour_of(name)}"/>'
        f'<text fill="{INK}" font-family="sans-serif" font-size="{size}" text-anchor="middle" '
        f'dominant-baseline="central">{spoken}</text></svg>\n'
    )


def colour_of(name: str) -> str:
    """`#rrggbb`, light enough for dark letters."""
    hue = hashlib.sha256(name.encode()).digest()[0] / 256
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, 0.82, 0.45))
