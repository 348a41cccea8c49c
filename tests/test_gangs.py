"""Plans know pods that move together: small clusters by hand, judged by the checker too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import planner
from planner.errors import RequestError
from planner.show.gangs import gang_lines
from tests.test_small_clusters import (
    NEW,
    OLD,
    clone_set,
    header,
    imported,
    metadata,
    planned,
    pod,
    rolling,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Json = dict[str, Any]
CELLS = [{"name": "cells", "labelKey": "cell"}]


def app(name: str, cells: Sequence[str], **update: Any) -> list[Json]:  # noqa: ANN401
    """A CloneSet, and a pod of each of these cells; one may be down at a time."""
    owner = clone_set(len(cells), **rolling(**{"maxUnavailable": 1, **update}))
    owner["metadata"] = metadata("CloneSet", name)
    pods = [pod(f"{name}-{number}", owner) for number in range(len(cells))]
    for each, cell in zip(pods, cells, strict=True):
        each["metadata"]["labels"] |= {"cell": cell} if cell else {}
    return [owner, *pods]


def ordered(name: str, cells: Sequence[str], **update: Any) -> list[Json]:  # noqa: ANN401
    """The same as an Advanced StatefulSet, whose order binds, from the last pod on."""
    items = app(name, cells, **update)
    items[0] |= {"kind": "StatefulSet", "metadata": metadata("StatefulSet", name)}
    for each in items[1:]:
        (owner,) = each["metadata"]["ownerReferences"]
        owner |= {"kind": "StatefulSet", "uid": items[0]["metadata"]["uid"]}
    return items


def staged(tmp_path: Path, *items: Json, stages: list[Json]) -> planner.Plan:
    """A plan with gangs and stages; what these leave out is no difference from the target."""
    log = imported(tmp_path, *items)
    images = [{"from": OLD.partition(":")[0], "to": NEW}]
    spec = {"target": {"images": images}, "gangs": CELLS, "stages": stages}
    head = {"apiVersion": "planner/v1", "kind": "UpgradeRequest", "metadata": {"name": "staged"}}
    request = tmp_path / "staged.yaml"
    request.write_text(json.dumps({**head, "spec": spec}))
    plan = planner.plan(log, planner.load_request(request))
    assert planner.verify(log, plan) == []
    return plan


def waves(plan: planner.Plan) -> dict[str, int]:
    """The wave of each pod that moves."""
    moves = map(json.loads, plan.jsonl(0, len(plan)).splitlines())
    return {each["pod"]: each["wave"] for each in moves}


def reasons(plan: planner.Plan) -> dict[str, str]:
    return {each["pod"]: each["reason"] for each in header(plan)["unmovable"]}


def test_pods_of_a_gang_share_a_wave_whatever_their_workloads_are(tmp_path: Path) -> None:
    items = [*app("web", ["a", "b", "c"]), *app("cart", ["c", "a", "b"]), *app("pay", [""])]
    alone = waves(planned(tmp_path, *items))
    assert alone["web-0"] == alone["cart-0"] == 1
    plan = planned(tmp_path, *items, gangs=CELLS)
    found = waves(plan)
    for one, other in (("web-0", "cart-1"), ("web-1", "cart-2"), ("web-2", "cart-0")):
        assert found[one] == found[other]
    assert header(plan)["waves"] == header(plan)["waves_bound"] == 3
    assert header(plan)["gangs"] == [{"name": "cells", "gangs": 3, "moves": 6, "largest": 2}]
    assert list(gang_lines(header(plan)["gangs"])) == [
        "cells: 3 gangs of up to 2 pods, each in one wave"
    ]


def test_a_gang_that_waits_says_so(tmp_path: Path) -> None:
    items = [*app("web", ["a", "b"]), *app("cart", ["", "a"])]
    plan = planned(tmp_path, *items, gangs=CELLS)
    found = waves(plan)
    assert found["web-0"] == found["cart-1"]
    moves = map(json.loads, plan.jsonl(0, len(plan)).splitlines())
    assert all(each["because"] for each in moves if each["wave"] == 2)


def test_one_that_cannot_move_keeps_its_gang(tmp_path: Path) -> None:
    paused = app("cart", ["a", "b"], paused=True)
    plan = planned(tmp_path, *app("web", ["a", ""]), *paused, gangs=CELLS)
    assert waves(plan) == {"web-1": 1}
    assert reasons(plan)["web-0"].startswith(
        "its gang cells: hangzhou/trade/a cannot move as a whole: cart-0 cannot move: "
    )
    assert header(plan)["warnings"][-1] == "gangs cells: no two pods move together by it"


def test_a_gang_for_which_there_is_no_room_stays(tmp_path: Path) -> None:
    plan = planned(tmp_path, *app("web", ["a", "a", "b"]), gangs=CELLS)
    assert waves(plan) == {"web-2": 1}
    assert "2 of budget workload/trade/CloneSet/web at once" in reasons(plan)["web-0"]
    roomy = planned(tmp_path, *app("web", ["a", "a", "b"], maxUnavailable=2), gangs=CELLS)
    assert waves(roomy)["web-0"] == waves(roomy)["web-1"] != waves(roomy)["web-2"]


def test_what_makes_every_gang_stay_is_named(tmp_path: Path) -> None:
    with pytest.raises(planner.InfeasibleError) as told:
        planned(tmp_path, *app("web", ["a", "a"]), gangs=CELLS)
    assert set(told.value.conflict) == {
        "budget workload/trade/CloneSet/web",
        "gang cells: hangzhou/trade/a",
    }


def test_who_is_down_or_left_out_is_of_no_gang(tmp_path: Path) -> None:
    items = app("web", ["a", "a", "a"])
    items[1]["status"]["conditions"][0]["status"] = "False"
    items[2]["metadata"]["labels"]["stays"] = "yes"
    excluded = [{"selector": {"matchLabels": {"stays": "yes"}}}]
    plan = planned(tmp_path, *items, gangs=CELLS, exclude=excluded)
    assert set(waves(plan)) == {"web-0", "web-2"}


def test_a_binding_order_goes_through_a_gang_at_once_or_not_at_all(tmp_path: Path) -> None:
    items = ordered("mysql", ["a", "a", "b", "b"], maxUnavailable=2)
    found = waves(planned(tmp_path, *items, gangs=CELLS))
    assert found == {"mysql-3": 1, "mysql-2": 1, "mysql-1": 2, "mysql-0": 2}
    torn = ordered("mysql", ["a", "b", "a", ""], maxUnavailable=4)
    plan = planned(tmp_path, *torn, gangs=CELLS)
    assert set(waves(plan)) == {"mysql-3"}


def test_a_stage_ends_with_the_gang_in_which_it_would_end(tmp_path: Path) -> None:
    stages: list[Json] = [
        {"name": "canary", "perWorkload": 1},
        {"name": "rest", "perWorkload": "100%"},
    ]
    items = ordered("mysql", ["", "a", "a", "a"], maxUnavailable=3)
    plan = staged(tmp_path, *items, stages=stages)
    assert waves(plan) == {"mysql-3": 1, "mysql-2": 1, "mysql-1": 1, "mysql-0": 2}
    free = staged(tmp_path, *app("web", ["", "a", "a"], maxUnavailable=3), stages=stages)
    assert set(waves(free)) == {"web-0"}
    assert "the stages of hangzhou/trade/CloneSet/web would tear it" in reasons(free)["web-1"]


def test_who_stays_for_the_stages_and_who_for_its_gang_are_told_apart(tmp_path: Path) -> None:
    items = [*app("web", ["a", "a", "b", "b"], maxUnavailable=4), *app("pay", [""] * 2)]
    half = [{"name": "half", "perWorkload": "50%"}]
    plan = staged(tmp_path, *items, stages=half)
    stays = [each["pod"] for each in header(plan)["unmovable"]]
    assert stays == ["pay-1", "web-0", "web-1", "web-2", "web-3"]


def test_gangs_need_waves(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="streaming"):
        planned(tmp_path, *app("web", ["a", "a"]), gangs=CELLS, streaming=True)
