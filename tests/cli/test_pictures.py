"""The demo's pictures: any name of the alphabet gives sound SVG, no other path gives anything."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from cli.pages import page
from cli.pictures import SIDE, colour_of, drawn, picture

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", ["valley-mug", "a", "7", "-", "---", "x" * 100, "-".join("ab" * 25), "w-" * 50])
def test_every_name_has_its_picture(name: str) -> None:
    found = page(f"/media/demo/{name}.svg", b"")
    assert found is not None and found.status == 200
    root = ElementTree.fromstring(found.body)  # noqa: S314 - made by ourselves
    assert root.tag == f"{SVG}svg" and {one.tag for one in root.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "rect", "text", "tspan")
    }
    assert all(attribute != "style" and "href" not in attribute for one in root.iter() for attribute in one.attrib)
    spoken = [one.text or "" for one in root.iter(f"{SVG}tspan")]
    letters = "".join(spoken).replace(" ", "").lower()
    assert letters == (name.replace("-", "") or name.strip())
    text = root.find(f"{SVG}text")
    assert text is not None
    size = int(text.attrib["font-size"])
    assert size >= 10 and size * len(spoken) <= SIDE and all(0 < int(one.attrib["y"]) < SIDE for one in text)


def test_a_picture_is_the_same_each_time_and_pale() -> None:
    assert drawn("valley-mug") == drawn("valley-mug") and colour_of("valley-mug") != colour_of("tea-cups")
    for name in ("valley-mug", "tea-cups", "honey", "oil"):
        red, green, blue = (int(part, 16) for part in re.findall("[0-9a-f]{2}", colour_of(name)))
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue > 150


def test_whatever_a_name_holds_is_escaped() -> None:
    assert "<script" not in drawn('<script>"&') and "&lt;" in drawn('<script>"&')


@pytest.mark.parametrize(
    "path",
    [
        "/media/demo/.svg",
        "/media/demo/" + "x" * 101 + ".svg",
        "/media/demo/Mug.svg",
        "/media/demo/a_b.svg",
        "/media/demo/a/b.svg",
        "/media/demo/../a.svg",
        "/media/demo/a.svg\n",
        "/media/demo/a.png",
        "/media/demo/\u00fc.svg",
        "/media/demo/a.svg/",
        "/media/a.svg",
    ],
)
def test_other_paths_have_none(path: str) -> None:
    assert picture(path) is None and page(path, b"") is None
