"""Every code has a sentence in every language, with the same placeholders."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest
from pydantic_core import SchemaValidator, ValidationError, core_schema

from api.problems import CODES, LANGUAGES, messages, sentence
from cli import derive
from tests.contract.tree import python_files, tree_of

PLACEHOLDER = re.compile(r"{(\w+)}")
# What a wrong value of each kind of schema is called; `model` and `nullable` pass on what their members say.
KINDS = {
    "str": ["string_type", "string_too_short", "string_too_long", "string_pattern_mismatch", "string_unicode"],
    "int": [
        "int_type", "int_parsing", "int_parsing_size", "int_from_float", "greater_than", "greater_than_equal",
        "less_than", "less_than_equal",
    ],
    "bool": ["bool_type", "bool_parsing"],
    "literal": ["literal_error"],
    "list": ["list_type", "too_short", "too_long"],
    "dict": ["dict_type", "too_short", "too_long"],
    "model": ["model_type", "missing", "extra_forbidden"],
    "model-fields": ["model_attributes_type"],
    "function-after": ["value_error"],
    "function-before": ["value_error"],
    "date": ["date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"],
}  # fmt: skip
SILENT = {"no-info", "with-info", "any", "default", "definitions", "definition-ref", "model-field", "nullable"}


def test_all_languages_have_the_same_keys() -> None:
    assert {language: messages(language).keys() - messages("en").keys() for language in LANGUAGES} == {
        language: set() for language in LANGUAGES
    }
    assert {language: messages("en").keys() - messages(language).keys() for language in LANGUAGES} == {
        language: set() for language in LANGUAGES
    }


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    codes = {key for key in messages("en") if not key.startswith("invalid.")}
    assert codes == CODES.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_have_the_placeholders_of_the_english_ones(language: str) -> None:
    wrong = {
        key: text
        for key, text in messages(language).items()
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(messages("en")[key]))
    }
    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_whole(language: str) -> None:
    wrong = {
        key: text
        for key, text in messages(language).items()
        if text != text.strip() or not text.endswith((".", "।")) or "  " in text
    }
    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_sentences_are_translated(language: str) -> None:
    same = [key for key, text in messages(language).items() if text == messages("en")[key]]
    assert same == []


def test_every_invalid_code_that_we_give_ourselves_has_a_sentence() -> None:
    missing = []
    for path in python_files("api", "functions", "domain"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "invalid":
                code = node.args[1]
            elif isinstance(node, ast.Tuple) and len(node.elts) == 3 and isinstance(node.elts[2], ast.Dict):
                code = node.elts[1]  # (pointer, code, context) of `errors=`
            else:
                continue
            if isinstance(code, ast.Constant) and "invalid." + str(code.value) not in messages("en"):
                missing.append(f"{path}:{node.lineno} {code.value!r}")
    assert missing == []


def test_every_wrong_value_that_our_shapes_can_find_has_a_sentence() -> None:
    kinds: set[str] = set()
    for one in derive.endpoints():
        _collect(one.request.__pydantic_core_schema__, kinds)
    unknown = kinds - KINDS.keys() - SILENT
    assert unknown == set(), "a new kind of field: list what it says when it is wrong"
    missing = {code for kind in kinds - SILENT for code in KINDS[kind] if f"invalid.{code}" not in messages("en")}
    assert missing == set()


def test_placeholders_are_what_pydantic_gives() -> None:
    wrong = []
    # A type that pydantic does not know by this name is one of ours.
    known = {one["type"]: one for one in map(_error_of, _pydantic_codes()) if one}
    for key, text in messages("en").items():
        code = key.removeprefix("invalid.")
        if key.startswith("invalid.") and code in known:
            extra = set(PLACEHOLDER.findall(text)) - known[code].get("ctx", {}).keys()
            wrong += [f"{key}: {extra}"] if extra else []
    assert wrong == []


def test_a_fact_takes_the_place_of_its_placeholder() -> None:
    text = sentence("illegal_transition", "en", {"from": "SHIPPED", "to": "PAID"})
    assert text == "The order cannot go from SHIPPED to PAID."
    assert sentence("invalid.nobody_knows", "el", {}) == messages("el")["invalid.other"]


def _collect(schema: Any, kinds: set[str]) -> None:
    """The types of all schemas within a core schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            kinds.add(schema["type"])
        for name, member in schema.items():
            if name not in ("metadata", "serialization", "config", "default", "expected"):
                _collect(member, kinds)
    elif isinstance(schema, list | tuple):
        for member in schema:
            _collect(member, kinds)


def _pydantic_codes() -> list[str]:
    return [key.removeprefix("invalid.") for key in messages("en") if key.startswith("invalid.")]


def _error_of(code: str) -> dict[str, Any] | None:
    """What pydantic says of one example of a wrong value, None for a code that has no example."""
    example = EXAMPLES.get(code)
    if example is None:
        return None
    schema, value = example
    try:
        SchemaValidator(schema).validate_python(value)
    except ValidationError as error:
        (one,) = error.errors(include_url=False)
        assert one["type"] == code
        return json.loads(json.dumps(dict(one), default=str))  # type: ignore[no-any-return]
    raise AssertionError(f"{code}: the example is right")


EXAMPLES: dict[str, tuple[Any, Any]] = {
    "string_too_short": (core_schema.str_schema(min_length=2), "a"),
    "string_too_long": (core_schema.str_schema(max_length=2), "abc"),
    "string_pattern_mismatch": (core_schema.str_schema(pattern="^a$"), "b"),
    "greater_than": (core_schema.int_schema(gt=1), 0),
    "greater_than_equal": (core_schema.int_schema(ge=1), 0),
    "less_than": (core_schema.int_schema(lt=1), 2),
    "less_than_equal": (core_schema.int_schema(le=1), 2),
    "multiple_of": (core_schema.int_schema(multiple_of=2), 3),
    "too_short": (core_schema.list_schema(min_length=1), []),
    "too_long": (core_schema.list_schema(max_length=1), [1, 2]),
    "literal_error": (core_schema.literal_schema(["a", "b"]), "c"),
}
