"""A plan whose every text tries to break out of the page."""

from __future__ import annotations

from typing import Any

from tests.show.sample import SMALL_PLAN

HOSTILE = "</script><img src=x onerror=alert(1)>&\"'"


def hostile_plan() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Markup in every text that a plan can carry."""
    header, moves = hostile(SMALL_PLAN.header), hostile(list(SMALL_PLAN.moves())[:50])
    return header, moves


def hostile(value: Any) -> Any:  # noqa: ANN401  (JSON is anything)
    if isinstance(value, dict):
        return {key: hostile(part) for key, part in value.items()}
    if isinstance(value, list):
        return [hostile(part) for part in value]
    return value + HOSTILE if isinstance(value, str) else value
