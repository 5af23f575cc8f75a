"""TypeIDs and order references."""

import re
import uuid

import pytest

from api.ids import ALPHABET, order_reference, typeids

AT = 1_795_248_000_000


def decoded(typeid: str) -> uuid.UUID:
    """The UUID in a TypeID, by the public specification: 26 characters of base 32, the first at most 7."""
    text = typeid.rpartition("_")[2]
    value = 0
    for letter in text:
        value = value * 32 + ALPHABET.index(letter)
    assert text[0] in "01234567"
    return uuid.UUID(int=value)


def test_an_id_is_a_uuid_of_version_7_with_its_time() -> None:
    for typeid in typeids("order", 200, AT):
        assert re.fullmatch("order_[0-7][0-9a-hjkmnp-tv-z]{25}", typeid)
        found = decoded(typeid)
        assert (found.version, found.variant) == (7, uuid.RFC_4122)
        assert found.int >> 80 == AT


def test_ids_of_one_draw_rise_and_differ() -> None:
    drawn = typeids("item", 1_000, AT)
    assert drawn == sorted(set(drawn))


def test_ids_sort_by_time() -> None:
    drawn = [typeids("item", 1, AT + step)[0] for step in range(500)]
    assert drawn == sorted(drawn)


def test_many_draws_of_one_moment_differ() -> None:
    assert len({typeids("item", 1, AT)[0] for _ in range(20_000)}) == 20_000


def test_neighbours_of_one_draw_are_not_guessed_from_each_other() -> None:
    steps = {decoded(typeids("item", 2, AT)[1]).int & 0xFFFFF for _ in range(50)}
    assert len(steps) > 40, "the last 20 bits are drawn"


@pytest.mark.parametrize("milliseconds", [0, 1, 2**48 - 1])
def test_every_time_that_fits_is_kept(milliseconds: int) -> None:
    assert decoded(typeids("x", 1, milliseconds)[0]).int >> 80 == milliseconds


def test_none_is_none() -> None:
    assert typeids("item", 0, AT) == []


def test_references_can_be_read_out() -> None:
    drawn = {order_reference() for _ in range(5_000)}
    assert len(drawn) > 4_990
    assert all(re.fullmatch("[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", one) for one in drawn)
    assert set("".join(drawn)) - {"-"} == set("23456789ABCDEFGHJKMNPQRSTVWXYZ"), "every letter is used"
