"""Workloads whose pods are of groups, by a label; and plans that move each group in one wave."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.verify.plans import Written, unmovable
from tests.verify.zones import upgraded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.verify.builders import App
    from tests.verify.zones import Where

GROUPS: dict[str, Any] = {"name": "groups", "labelKey": "group"}


def grouped(app: App, groups: str) -> App:
    """An app with a letter for each pod, the value of its label; `.` is without."""
    columns = {
        index: {
            **app.columns.get(index, {}),
            "labels": json.dumps({**app.pod_labels, **({"group": it} if it != "." else {})}),
        }
        for index, it in enumerate(groups)
    }
    return replace(app, pods=len(groups), columns=columns)


def group_of(app: App, index: int) -> str:
    """The value of a pod's label; `` without."""
    labels = json.loads(app.columns.get(index, {}).get("labels", "{}"))
    return str(labels.get("group", ""))


def together(where: Where, *gangs: Mapping[str, Any], **spec: Any) -> Written:  # noqa: ANN401
    """A plan that makes these pods anew, with a header that is right for one entry of gangs."""
    return told(upgraded(where, gangs=list(gangs) or [GROUPS], **spec), sizes(where))


def sizes(where: Where) -> list[int]:
    """How many pods of each group move."""
    moves = Counter(
        (app.cluster, app.namespace, group_of(app, index))
        for app, index, _ in where
        if group_of(app, index) and index not in app.down
    )
    return list(moves.values())


def told(plan: Written, of: Sequence[int]) -> Written:
    """The plan with a header that says so many pods of each gang move by its first entry."""
    names = [it["name"] for it in plan.header["request"]["spec"]["gangs"]]
    of = [moves for moves in of if moves > 1]
    first = {"gangs": len(of), "moves": sum(of), "largest": max(of, default=0)}
    none = {"gangs": 0, "moves": 0, "largest": 0}
    gangs = [{"name": it, **(none if at else first)} for at, it in enumerate(names)]
    alone = [it["name"] for it in gangs if it["largest"] <= 1]
    warnings = [f"gangs {name}: no two pods move together by it" for name in alone]
    return plan.with_header(gangs=gangs, warnings=warnings)


def keeping(where: Where, *left: tuple[App, int], **spec: Any) -> Written:  # noqa: ANN401
    """A plan that moves these pods, and calls those unmovable; nobody else differs."""
    plan = together([*where, *((app, index, 0) for app, index in left)], **spec)
    moved = plan.with_header(unmovable=[unmovable(*each) for each in left]).with_moves(
        [each for each in plan.moves if each["wave"]]
    )
    return told(moved, sizes(where))
