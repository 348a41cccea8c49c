"""A run from Python, as docs/apply.md shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import planner
from tests.controlplane import applied
from tests.controlplane.applied import REPLICAS, SPACE, expected, images, request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.controlplane.given import Plane
    from tests.controlplane.running import Operator

__all__ = ["SPACE"]
"""The namespace that an auditor judges."""
DOCUMENTATION = Path(__file__).parents[2] / "docs/apply.md"


@pytest.fixture
def hangzhou(shop_planes: Mapping[str, Plane]) -> Iterator[Plane]:
    """A plane with a namespace of native workloads of every way to be upgraded, 43 pods."""
    with applied.filled(shop_planes["hangzhou"]) as plane:
        yield plane


def test_the_example_of_the_documentation_carries_a_plan_out_and_leads_back(
    operator: Operator, hangzhou: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(operator.folder)
    (operator.folder / "request.yaml").write_text(request("2.0.0", "api"))
    _, _, example = DOCUMENTATION.read_text().partition("```python\n")
    told: list[dict[str, Any]] = []
    names: dict[str, Any] = {"print": told.append}
    with operator.audited():
        exec(example.partition("```")[0], names)  # noqa: S102 it is ours
    log, live, ended = names["log"], names["live"], names["ended"]
    assert (ended["ending"], ended["moved"]) == ("done", REPLICAS["api"])
    assert {"preflight", "wave", "moving"} <= {each["event"] for each in told}
    assert images(hangzhou.admin) == expected(hangzhou.admin, "2.0.0", "api")
    heard: list[str] = []

    def answer(event: dict[str, Any]) -> None:
        if event["event"] == "wave" and "wave" not in heard:
            log.say("pause")
        if event["event"] == "paused":
            log.say("resume")
        heard.append(event["event"])

    with operator.audited(request("1.0.0", "api")):
        back = planner.rollback(log, replace(live, tell=answer), ended["run"])
    assert (back["ending"], heard.count("paused")) == ("done", 1)
    assert images(hangzhou.admin) == expected(hangzhou.admin, "1.0.0")
    with pytest.raises(planner.UsageError, match="is over: done"):
        log.say("pause", back["run"])
