"""JSON read as JSON, many times faster than as the YAML that it also is.

Only where both readings are the same: what YAML refuses, or reads otherwise, is left to the reader
of YAML, which can say the line of what is wrong.
"""

import json
import math
import re
from typing import Any, Final

from planner.model.documents import DEPTH_MAX, INT_MAX, INT_MIN

# Within quotes YAML refuses DEL, most of C1, non-characters and escaped surrogates, and breaks
# lines at NEL, LS and PS.
_NOT_THE_SAME_IN_YAML: Final = re.compile(
    "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\\\\u[dD][89a-fA-F]"
)


def read_json(text: bytes) -> Any:  # noqa: ANN401 -- any JSON
    """Read one JSON value.

    Raises:
        ValueError: it is no JSON, or YAML does not read it the same way.
    """
    decoded = text.decode()
    if _NOT_THE_SAME_IN_YAML.search(decoded):
        raise ValueError("YAML reads some characters otherwise")
    try:
        value = json.loads(
            decoded,
            object_pairs_hook=_mapping,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_number,
        )
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    _check_depth(value)
    return value


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise ValueError("a key is there twice")
    return mapping


def _integer(text: str) -> int:
    value = int(text)
    if not INT_MIN <= value <= INT_MAX:
        raise ValueError("a number does not fit")
    return value


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    return value


def _check_depth(value: Any) -> None:  # noqa: ANN401 -- any JSON
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise ValueError("nested too deep")
