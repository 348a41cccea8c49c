"""JSON is read faster than YAML, and never as anything else."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from planner.errors import InputError
from planner.model.documents import DEPTH_MAX, read_documents
from planner.model.plain_json import read_json

KEYS_MAX = 50  # of characters: to YAML a key of more than 1,024 is none
TEXT = st.text(max_size=KEYS_MAX)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


def as_yaml(text: bytes) -> Any:  # noqa: ANN401 -- any JSON
    (document,) = read_documents(text, "file", lines_depth=0)
    return document.value


@given(value=JSON, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2, "\t"]))
@example(value={"a": "\x7f"}, ascii_only=False, indent=None)
@example(value="\x85", ascii_only=False, indent=None)
@example(value="\u2028", ascii_only=False, indent=None)
@example(value="\ufeff", ascii_only=False, indent=None)
@example(value="\U0001f6a2", ascii_only=True, indent=None)
@example(value="\U0001f6a2", ascii_only=False, indent=None)
@example(value=-0.0, ascii_only=True, indent=None)
@example(value=1e300, ascii_only=True, indent=None)
@example(value=1 << 64, ascii_only=True, indent=None)
@example(value={"<<": {"a": 1}, "b": "~"}, ascii_only=True, indent=2)
def test_what_is_read_as_json_is_the_same_as_yaml(
    value: Any,  # noqa: ANN401 -- any JSON
    ascii_only: bool,  # noqa: FBT001 -- Hypothesis gives it by name
    indent: int | str | None,
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    try:
        encoded = text.encode()
        read = read_json(encoded)
    except ValueError:
        return
    assert repr(read) == repr(as_yaml(encoded))


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "c": 2, "b": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 18446744073709551616}',
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b"[" * 100_000,
        b'["\x01"]',
        b'["\xff"]',
        b'["\\ud83d"]',
        b'["a\nb"]',
    ],
)
def test_what_yaml_refuses_or_folds_is_not_read_as_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_the_deepest_that_yaml_takes_is_read() -> None:
    text = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX

    assert read_json(text) == as_yaml(text)
    with pytest.raises(InputError):
        as_yaml(b"[" + text + b"]")
