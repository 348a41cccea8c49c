"""Gangs are told in a line each, on the page and in text, and as what held a pod back."""

from __future__ import annotations

import io
from typing import Any

import msgspec
from rich.console import Console

from planner.plan.explain import explain
from planner.show.gangs import gang_lines
from planner.show.plan import tell_plan
from tests.show.sample import SMALL_PLAN, page_of

GANGS = [
    {"name": "inference groups", "gangs": 12, "moves": 90, "largest": 8},
    {"name": "pairs", "gangs": 1, "moves": 1, "largest": 1},
    {"name": "idle", "gangs": 0, "moves": 0, "largest": 0},
]
LINES = [
    "inference groups: 12 gangs of up to 8 pods, each in one wave",
    "pairs: 1 gang of up to 1 pod, each in one wave",
    "idle: nothing moves",
]


def header(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**SMALL_PLAN.header, **more}


def test_each_entry_is_told_in_a_line() -> None:
    assert list(gang_lines(GANGS)) == LINES


def test_text_and_page_tell_of_gangs() -> None:
    out = io.StringIO()
    tell_plan(msgspec.json.encode(header(gangs=GANGS)), Console(file=out, width=200))
    page = page_of(header(gangs=GANGS), list(SMALL_PLAN.moves()))
    for line in LINES:
        assert f"  {line}\n" in out.getvalue()
        assert f"<span>{line}</span>" in page
    assert LINES[0] not in page_of(header(), list(SMALL_PLAN.moves()))


def test_a_pod_that_its_gang_held_back_is_told_what_would_help() -> None:
    moves = list(SMALL_PLAN.moves())
    held = {**moves[-1], "because": ["gang:inference groups"]}
    (answer,) = explain(header(gangs=GANGS), [held], f"{held['namespace']}/{held['pod']}")
    assert f"wave {held['wave'] - 1} had no room: gang:inference groups" in answer.facts
    assert answer.remedies == ["room for its whole gang by inference groups in an earlier wave"]
