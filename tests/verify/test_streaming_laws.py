"""Laws of streaming plans: what begins inside its wave holds, and the sweep misses nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

import planner
from planner.verify import fold_rows, of_table, verify
from planner.verify.calendars import Rule
from planner.verify.written import of_objects
from tests import fleets
from tests.shop import header_of, moves_of, rows_of, shop_moves, shop_plan
from tests.verify.streams import names, streamed, streaming
from tests.verify.test_laws import naive_plans

if TYPE_CHECKING:
    from tests.fleets import Recorded
    from tests.verify.test_laws import Naive

Json = dict[str, Any]

law = partial(
    settings,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@law(max_examples=40, phases=[Phase.generate])
@given(st.one_of(fleets.fleets(), fleets.troubled_fleets(), fleets.paced_fleets()))
def test_moves_that_begin_inside_their_wave_break_no_rule(fleet: Recorded) -> None:
    log = fleet.log()
    try:
        plan = fleet.plan(log)
    except planner.InfeasibleError:
        reject()
    header, moves = streamed(header_of(plan), moves_of(plan))
    assert verify(header, moves, fold_rows(rows_of(log.events))) == []


@given(naive_plans())
def test_a_naive_plan_whose_moves_begin_with_their_wave_breaks_no_rule(naive: Naive) -> None:
    assert streaming(naive.plan).check() == []


def under_way(naive: Naive, moves: list[Json]) -> set[tuple[str, str]]:
    """Budgets of workloads that do not hold, found move by move."""
    found = set()
    for app in naive.apps:
        own = {each["pod"]: each for each in moves if each["workload"]["name"] == app.name}
        surges = any(each["kind"] == "surge" for each in own.values())
        down = {app.pod_name(index) for index in app.down}
        end = {pod: each["start_s"] + each["seconds"] for pod, each in own.items()}
        for pod, each in own.items():
            if pod in down:
                continue
            now = each["start_s"]
            used = sum(
                other["start_s"] <= now < end[its] for its, other in own.items() if its not in down
            )
            if not surges:
                used += sum(now < end[its] for its in down)
            if used > 1:
                rule, name = ("surge", "surge") if surges else ("workload-budget", "workload")
                place = f"{app.namespace}/{app.kind}/{app.name}"
                found.add((rule, f"{app.cluster}/{name}/{place}"))
    return found


@law(max_examples=150)
@given(naive_plans(), st.data())
def test_the_sweep_over_budgets_finds_what_a_look_at_each_move_finds(
    naive: Naive, data: st.DataObject
) -> None:
    plan = streaming(naive.plan)
    lasts: defaultdict[str, int] = defaultdict(lambda: data.draw(st.integers(1, 45)))
    moves = [
        {
            **move,
            "start_s": data.draw(st.integers(0, 40 * len(naive.apps))),
            "seconds": lasts[move["workload"]["name"]],
        }
        for move in plan.moves
    ]
    rules = {"workload-budget", "surge"}
    found = {each for each in names(replace(plan, moves=moves)) if each[0] in rules}
    assert found == under_way(naive, moves)


SPANS = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), max_size=5)


@law(max_examples=200)
@given(SPANS, st.booleans())
def test_a_rule_of_time_allows_what_every_second_of_it_allows(
    spells: list[tuple[int, int]],
    is_window: bool,  # noqa: FBT001
) -> None:
    spans = sorted((float(begin), float(begin + length)) for begin, length in spells)
    rule = Rule(name="rule", is_window=is_window, written={}, spans=spans)
    pairs = [(begin, end) for begin in range(18) for end in range(begin + 1, 20)]
    begins, ends = (np.array(each, np.float64) for each in zip(*pairs, strict=True))
    on = {second for begin, length in spells for second in range(begin, begin + length)}
    allowed = [all((each in on) is is_window for each in range(*pair)) for pair in pairs]
    assert rule.allow(begins, ends).tolist() == allowed


def test_a_table_and_objects_say_the_same_of_starts() -> None:
    """A table has whole milliseconds, and says nothing of starts where no move has one."""
    _, moves = streamed(header_of(shop_plan()), shop_moves())
    start_ms = [round(move["start_s"] * 1000) for move in moves]
    lasts_ms = [round(move["seconds"] * 1000) for move in moves]
    table = pa.record_batch(shop_plan())
    for name, ms in (("start_ms", start_ms), ("lasts_ms", lasts_ms)):
        table = table.append_column(name, pa.array(ms, pa.uint64()))
    for starts in (of_table(table).starts, of_objects(moves).starts):
        assert starts is not None
        assert starts.start_ms.tolist() == start_ms
        assert starts.lasts_ms.tolist() == lasts_ms
    assert of_table(shop_plan()).starts is None
    assert of_objects(shop_moves()).starts is None
