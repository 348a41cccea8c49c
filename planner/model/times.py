"""What a request says of time: from when, until when, and when which workloads may move."""

from typing import Annotated

import msgspec

from planner.model.policy import Duration
from planner.model.selector import Selector
from planner.model.target import WorkloadRef
from planner.model.value import Text, Value

Moment = Annotated[
    str,
    msgspec.Meta(
        description="a moment in ISO 8601 with its zone, like 2026-11-10T20:00:00+08:00",
        extra_json_schema={"format": "date-time"},
    ),
]
Date = Annotated[
    str,
    msgspec.Meta(
        description="a day in ISO 8601, like 2026-11-10", extra_json_schema={"format": "date"}
    ),
]


class Spell(Value, frozen=True, kw_only=True):
    """A part of time: either `from` one moment `until` another, or one that recurs.

    What recurs begins by `rrule`, a recurrence rule of RFC 5545 (`FREQ=DAILY;BYHOUR=22`), by the
    clocks of `timeZone` (IANA, like Asia/Shanghai), and takes `duration`. Hours, minutes and
    seconds are 0 where the rule does not name them. `starting` is the day from which INTERVAL and
    COUNT count.
    """

    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None
    rrule: Text | None = None
    duration: Duration | None = None
    time_zone: Text | None = None
    starting: Date | None = None


class TimeRule(Value, frozen=True, kw_only=True):
    """Parts of time for some workloads: all of those that every given key names.

    A `selector` names the workloads of which it selects a pod.
    """

    name: Text
    cluster: Text | None = None
    namespace: Text | None = None
    workload: WorkloadRef | None = None
    selector: Selector | None = None
    during: Annotated[tuple[Spell, ...], msgspec.Meta(min_length=1)]
