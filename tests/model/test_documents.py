"""YAML is read as the JSON that Kubernetes would make of it."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import InputError
from planner.model.documents import read_documents


def value_of(text: str) -> Any:  # noqa: ANN401 -- any YAML
    (document,) = read_documents(text.encode(), "file", lines_depth=0)
    return document.value


def refusal(text: str | bytes) -> InputError:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(InputError) as caught:
        list(read_documents(content, "file", lines_depth=8))
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-23T09:29:12Z", "2026-11-23T09:29:12Z"),
        ("2026-11-23", "2026-11-23"),
        ("yes", "yes"),
        ("on", "on"),
        ("n", "n"),
        ("true", True),
        ("'true'", "true"),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0644", 0o644),
        ("0o17", 15),
        ("0xff", 255),
        ("08", "08"),
        ("000002e5", "000002e5"),
        ("00000408", "00000408"),
        ("0", 0),
        ("0.5", 0.5),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("10%", "10%"),
        ("1.2.0", "1.2.0"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int '12'", 12),
        ("=", "="),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, value: Any) -> None:  # noqa: ANN401
    read = value_of(f"key: {text}")["key"]

    assert read == value
    assert type(read) is type(value)


# Short (a YAML key has at most 1024 characters), and without what JSON escapes as a pair of
# surrogates, which YAML does not have.
TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=50)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(value=JSON)
def test_json_is_yaml(value: Any) -> None:  # noqa: ANN401 -- any JSON
    # ASCII, because raw DEL and C1 controls are JSON but not YAML.
    assert value_of(json.dumps(value)) == value


@given(value=JSON)
def test_what_a_yaml_writer_writes_is_read_back(value: Any) -> None:  # noqa: ANN401 -- any JSON
    # Quoted strings: the writer follows YAML 1.1 and leaves some texts plain that are not.
    assert value_of(yaml.safe_dump(value, default_style='"')) == value


def test_merged_mappings_give_way_to_what_is_written() -> None:
    text = "base: &b {a: 1, c: 1}\nmore: &m {c: 2, d: 2}\nmine: {a: 0, <<: [*b, *m], e: 3}\n"

    assert value_of(text)["mine"] == {"a": 0, "c": 1, "d": 2, "e": 3}


def test_lines_are_kept_as_deep_as_asked() -> None:
    text = b"a:\n  b:\n  - c: 1\n---\n\nx: {y: 1}\n"

    one, two = read_documents(text, "file", lines_depth=3)

    assert one.lines == {("a",): 1, ("a", "b"): 2, ("a", "b", 0): 3}
    assert (two.index, two.line, two.lines) == (2, 6, {("x",): 6, ("x", "y"): 6})


@pytest.mark.parametrize(
    ("text", "offset", "says"),
    [
        ("a: 1\nb: [1\nc: 2\n", 10 + 2, "line 3, column 2"),
        ("é: 1\né: 2\n", 6, "line 2, column 1: the key 'é' is there twice"),
        ("? [a]\n: 1\n", 2, "a key has to be text"),
        ("a: *b\n", 3, "there is no finished anchor &b"),
        ("a: &b [*b]\n", 7, "there is no finished anchor &b"),
        ("a: .nan\n", 3, "JSON has no number .nan"),
        ("a: 1e999\n", 3, "JSON has no number 1e999"),
        ("a: 18446744073709551616\n", 3, "does not fit"),
        ("a: " + "9" * 5000, 3, "does not fit"),
        ("a: !env X\n", 3, "the tag !env has no meaning here"),
        ("a: !!int x\n", 3, "the tag tag:yaml.org,2002:int has no meaning here"),
        ("a: !!set {b}\n", 3, "the tag tag:yaml.org,2002:set has no meaning here"),
        ("a: {<<: 1}\n", 8, "<< takes a mapping"),
        ("[" * 101 + "]" * 101, 100, "is nested more than 100 deep"),
        ("a: \x01", 3, "control characters are not allowed"),
        (b"a: \xff", 3, "is not UTF-8 text"),
    ],
)
def test_what_json_cannot_say_is_refused_where_it_stands(
    text: str | bytes, offset: int, says: str
) -> None:
    error = refusal(text)

    assert error.offset == offset
    assert says in str(error)


def test_a_billion_laughs_are_refused() -> None:
    text = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    for one, next_one in zip("abcdefghi", "bcdefghij", strict=True):
        text += f"{next_one}: &{next_one} [" + ", ".join([f"*{one}"] * 9) + "]\n"

    assert "aliases repeat more than" in str(refusal(text))
