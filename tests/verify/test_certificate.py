"""What proves a bound is worked out again; whatever claims more than follows is named."""

from __future__ import annotations

from copy import deepcopy
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import planner
from benches.request import Regime
from planner.model.request import UpgradeRequest, canonical_json
from planner.verify import fold_rows, proved_by, verify
from tests import fleets
from tests.shop import header_of, moves_of, request, rows_of, shop_log, shop_moves, shop_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from planner.verify import Observed
    from tests.fleets import Recorded

Json = dict[str, Any]
Path = tuple[str | int, ...]

law = partial(
    settings, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def found(header: Json, moves: Sequence[Mapping[str, Any]], observed: Observed) -> list[str]:
    """Messages of the rule, after a check that no other rule minds."""
    violations = verify(header, moves, observed)
    assert {each.rule for each in violations} <= {"certificate"}
    return [f"{each.subject}: {each.message}" for each in violations]


def numbers(written: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 -- any JSON
    """Where there is a number in a certificate."""
    if isinstance(written, dict):
        for key, value in written.items():
            yield from numbers(value, (*path, key))
    elif isinstance(written, list):
        for index, value in enumerate(written):
            yield from numbers(value, (*path, index))
    elif isinstance(written, int | float):
        yield path


def says_more(path: Path) -> int:
    """Which way a number of a certificate goes to claim more."""
    less_room = path[-1] == "room" or (path[-1] == "moves" and path[0] in ("head", "tail"))
    return -1 if less_room else 1


def with_number(header: Json, bound: str, path: Path, change: Callable[[float], float]) -> Json:
    other = deepcopy(header)
    at = other["proof"][bound]
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = change(at[path[-1]])
    return other


@law(max_examples=40)
@given(st.one_of(fleets.fleets(), fleets.troubled_fleets()), st.data())
def test_a_number_that_claims_more_than_follows_is_named(
    fleet: Recorded, data: st.DataObject
) -> None:
    log = fleet.log()
    try:
        plan = fleet.plan(log)
    except planner.InfeasibleError:
        reject()
    header, moves, observed = header_of(plan), moves_of(plan), fold_rows(rows_of(log.events))
    assert found(header, moves, observed) == []
    bound = data.draw(st.sampled_from(["waves", "seconds"]), label="bound")
    assert proved_by(header["proof"][bound])
    places = list(numbers(header["proof"][bound]))
    path = data.draw(st.sampled_from(places), label="number")
    tampered = with_number(header, bound, path, lambda number: number + says_more(path))
    assert [each.partition(":")[0] for each in found(tampered, moves, observed)] == [bound]


@law(max_examples=20)
@given(fleets.fleets(), st.sampled_from(["waves", "seconds"]), st.sampled_from([1, -1]))
def test_a_bound_that_is_not_what_is_proved_is_named(fleet: Recorded, bound: str, by: int) -> None:
    log = fleet.log()
    plan = fleet.plan(log)
    header = header_of(plan)
    header[f"{bound}_bound"] += by
    messages = {
        each.message
        for each in verify(header, moves_of(plan), fold_rows(rows_of(log.events)))
        if (each.rule, each.subject) == ("certificate", bound)
    }
    assert any("its numbers prove" in each for each in messages)


@law(max_examples=6)
@given(st.integers(40, 200), st.integers(0, 50), st.data())
def test_a_chain_through_calendars_is_worked_out_again(
    minutes: int, freeze_minutes: int, data: st.DataObject
) -> None:
    nights = {"rrule": "FREQ=DAILY;BYHOUR=12", "duration": f"{minutes}m", "timeZone": "UTC"}
    freeze = {"from": "2026-11-24T11:00:00Z", "until": f"2026-11-24T12:{freeze_minutes:02}:00Z"}
    windows = [{"name": "nights", "namespace": "trade", "during": [nights]}]
    freezes = [{"name": "sale", "during": [freeze]}]
    log, wanted = shop_log(), msgspec.json.decode(canonical_json(request()))
    wanted["spec"] |= {"windows": windows, "freezes": freezes}
    plan = planner.plan(log, msgspec.convert(wanted, UpgradeRequest), keep=False)
    header = header_of(plan)
    assert header["proof"]["seconds"]["kind"] == "calendar"
    assert found(header, moves_of(plan), observed_shop()) == []
    # How long a move takes is only known from above, and a night may hide a second more of it.
    places = numbers(header["proof"]["seconds"])
    exact = [path for path in places if path[-1] not in ("shortest_s", "longest_s")]
    path = data.draw(st.sampled_from(exact), label="number")
    tampered = with_number(header, "seconds", path, lambda number: number + says_more(path))
    assert found(tampered, moves_of(plan), observed_shop())
    header["seconds_bound"] += 1
    (message,) = found(header, moves_of(plan), observed_shop())
    assert "its numbers prove" in message


@cache
def observed_shop() -> Observed:
    return fold_rows(rows_of(shop_log().events))


def shop_with(change: Callable[[Json], None]) -> list[str]:
    """What is found of the shop's plan with another certificate in waves."""
    header = header_of(shop_plan())
    change(header["proof"]["waves"])
    return found(header, shop_moves(), observed_shop())


def test_the_certificates_of_the_shop_are_checked() -> None:
    proof = header_of(shop_plan())["proof"]
    assert [len(proof[bound]["chain"]) for bound in ("waves", "seconds")] == [5, 5]
    assert found(header_of(shop_plan()), shop_moves(), observed_shop()) == []


def without_link(certificate: Json) -> None:
    del certificate["chain"][1]


def other_workload(certificate: Json) -> None:
    certificate["chain"][1]["workload"] = "hangzhou/trade/CloneSet/inventory"


def unknown_workload(certificate: Json) -> None:
    certificate["chain"][0]["workload"] = "hangzhou/trade/CloneSet/none"


def other_budget(certificate: Json) -> None:
    for link in certificate["chain"]:
        if link["budget"]:
            link["budget"] |= {"name": "pdb/search/ranker", "cluster": "hangzhou"}


def unknown_budget(certificate: Json) -> None:
    certificate["chain"][-1]["budget"] = {
        "name": "pdb/none", "cluster": None, "place": None, "moves": 1, "room": 1
    }  # fmt: skip


def other_stages(certificate: Json) -> None:
    certificate["chain"][-1]["stages"] = [1] * 110


def nothing_moves(certificate: Json) -> None:
    certificate.pop("chain")
    certificate["kind"] = "nothing"


def not_a_list(certificate: Json) -> None:
    certificate["chain"] = [{"workload": "hangzhou/trade/CloneSet/cart"}]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without_link, "for which the next waits: it says 9, and no more than 0 follows"),
        (other_workload, "for which the next waits"),
        (unknown_workload, "there are no moves of hangzhou/trade/CloneSet/none"),
        (other_budget, "moves that take from hangzhou/pdb/search/ranker"),
        (unknown_budget, "there is no budget ('pdb/none'"),
        (other_stages, "the stages of hangzhou/trade/CloneSet/cart"),
        (nothing_moves, "its numbers prove 0, and the bound is 89"),
        (not_a_list, "it is not written as a certificate"),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_another_argument_is_refused(change: Callable[[Json], None], told: str) -> None:
    (message,) = shop_with(change)
    assert told in message


def test_a_plan_without_certificates_is_not_called_proved() -> None:
    header = header_of(shop_plan())
    header["proof"] = {}
    assert found(header, shop_moves(), observed_shop()) == []
    assert proved_by({}) is None
    assert proved_by({"kind": "calendar", "text": ""}) is None


@cache
def crowded_nodes() -> tuple[Recorded, planner.Log, planner.Plan]:
    """A fleet whose bound is proved by the room of a node, its log and its plan."""
    fleet = fleets.recorded(300, 10, Regime.NODE)
    log = fleet.log()
    return fleet, log, fleet.plan(log)


def alike(name: str, item: Json) -> None:
    """Let no controller tell pods apart that are down."""
    status = item.get("status") or {}
    ready = [it["status"] for it in status.get("conditions", ()) if it["type"] == "Ready"]
    if name.startswith("pods") and ready == ["False"]:
        item["metadata"]["creationTimestamp"] = "2026-11-01T08:00:00Z"
        status["phase"] = "Running"
        for container in status.get("containerStatuses", ()):
            container["restartCount"] = 0


def test_the_order_in_which_pods_that_are_down_go_proves_a_wave_more() -> None:
    """The node of the bound has one, and its CloneSet, whose canary is one pod, takes another."""
    fleet, log, plan = crowded_nodes()
    other = fleet.with_objects(alike).log()
    unknown = fleet.plan(other)
    header, less = header_of(plan), header_of(unknown)
    assert (header["waves"], header["waves_bound"]) == (55, 55)
    assert header["proof"]["waves"]["head"]["moves"] == 0
    assert not planner.verify(log, plan)
    assert less["waves_bound"] == 54, "where nobody knows who goes first it may be the one"
    assert not planner.verify(other, unknown)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("head", "moves"), "moves in the first waves: it says -1, and no fewer than 0 follows"),
        (("head", "waves"), "moves in the first waves: it says 0, and no fewer than"),
        (("tail", "moves"), "moves in the last waves"),
        (("budget", "moves"), "moves that take from"),
        (("budget", "room"), "room of"),
    ],
    ids=lambda each: ".".join(each) if isinstance(each, tuple) else "",
)
def test_the_room_of_a_budget_proves_no_more_than_follows(path: Path, told: str) -> None:
    """What is refused is the number itself, also where it would add up to the bound."""
    _, log, plan = crowded_nodes()
    header, moves = header_of(plan), moves_of(plan)
    tampered = with_number(header, "waves", path, lambda number: number + says_more(path))
    (message,) = found(tampered, moves, fold_rows(rows_of(log.events)))
    assert told in message
    assert "follows" in message
