"""The independent check of a plan.

Every rule of docs/RULES.md, worked out again from the observed objects, the request and the
moves alone. Nothing here is shared with what makes plans: an error there shows here as a
violation. The flow: rows are folded (`observed`) into columns (`table`) and texts (`documents`),
joined (`fleet`), compared with the request (`target`), bound to the moves (`bound`, `plan`), and
judged one family of rules a file.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from planner.verify import (
    calendars,
    completeness,
    drains,
    order,
    quotas,
    rates,
    room,
    shape,
    stages,
)
from planner.verify import header as head
from planner.verify import moves as each_move
from planner.verify.because import because
from planner.verify.budgets import all_budgets
from planner.verify.certificate import certificates
from planner.verify.claims import proved_by
from planner.verify.dependencies import dependencies
from planner.verify.fleet import read_fleet
from planner.verify.gangs import gangs, read_gangs
from planner.verify.observed import Observed, fold_batches, fold_rows
from planner.verify.plan import build_case
from planner.verify.sequences import read_sequences, sequences
from planner.verify.streaming import streaming
from planner.verify.target import read_target
from planner.verify.usage import budgets_kept, measure
from planner.verify.violation import Violation
from planner.verify.written import Written, of_objects, of_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "Observed",
    "Violation",
    "Written",
    "fold_batches",
    "fold_rows",
    "of_table",
    "proved_by",
    "verify",
]

_RULES = (
    each_move.pod_exists,
    each_move.one_move,
    each_move.wave_number,
    each_move.node,
    each_move.workload,
    each_move.way,
    each_move.excluded,
    each_move.eviction,
    drains.empty_dir,
    completeness.unmovable_missing,
    completeness.complete,
    dependencies,
    order.partition,
    order.paused,
    stages.soak,
    stages.approval,
    calendars.calendar,
    calendars.deadline,
    rates.rates,
    head.bound,
    head.partial,
    drains.listed,
    drains.saved,
)


def verify(
    header: Mapping[str, Any],
    moves: Written | Iterable[Mapping[str, Any]],
    observed: Observed,
) -> list[Violation]:
    """Find everything that is wrong with a plan.

    Args:
        header: the plan's header as JSON.
        moves: the plan's moves in the order in which they are written: as JSON objects, each of
            which is read once and not kept, or in columns.
        observed: the fleet at the position of the log for which the plan was made.

    Returns:
        Every violation, by wave; empty when the plan holds.
    """
    broken = list(shape.header(header))
    if broken:
        return broken
    fleet = read_fleet(observed)
    if not isinstance(moves, Written):
        whole = shape.Moves(written=moves, streams=header.get("streaming") is not None)
        moves = of_objects(whole)
        if whole.broken:
            return whole.broken
    case = build_case(header, moves, fleet, read_target(header["request"], fleet))
    usages = measure(case, all_budgets(case))
    phases = read_sequences(case, usages)
    together = read_gangs(case, usages, phases)
    found = chain(
        head.origin(header, observed),
        chain.from_iterable(rule(case) for rule in _RULES),
        budgets_kept(usages),
        drains.only_evictions(case, usages),
        room.stuck(case, usages),
        quotas.lost(case, usages),
        completeness.unmovable_unfounded(case, usages, phases, together),
        because(case, usages, together),
        order.order(case, usages, phases, together),
        stages.stage(case, together),
        sequences(case, phases),
        gangs(case, together),
        head.totals(case, usages),
        streaming(case, usages, phases),
        certificates(case, usages, phases),
    )
    return sorted(found, key=lambda each: (each.wave or 0, each.rule, each.subject))
