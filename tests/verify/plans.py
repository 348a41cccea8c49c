"""Plans for small fleets, made the naive way: one pod a wave, workload after workload."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from planner.verify import Violation, fold_rows, verify
from tests.verify.builders import TIME, App, Row, request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WAVE_S = 45

MoveJson = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Written:
    """A plan with the rows that it was made for."""

    rows: list[Row]
    header: dict[str, Any]
    moves: list[MoveJson]

    def check(self) -> list[Violation]:
        return verify(self.header, self.moves, fold_rows(self.rows))

    def with_header(self, **fields: Any) -> Written:  # noqa: ANN401
        return replace(self, header={**self.header, **fields})

    def with_request(self, **spec: Any) -> Written:  # noqa: ANN401
        old = self.header["request"]
        return self.with_header(request={**old, "spec": {**old["spec"], **spec}})

    def with_moves(self, moves: list[MoveJson]) -> Written:
        """The plan with other moves, and a header that agrees with them."""
        moves = sorted(moves, key=lambda move: move["wave"])
        return replace(self, moves=moves, header={**self.header, **numbers(moves, self.header)})

    def change(self, pod: str, **fields: Any) -> Written:  # noqa: ANN401
        assert any(move["pod"] == pod for move in self.moves), pod
        return self.with_moves(
            [{**move, **fields} if move["pod"] == pod else move for move in self.moves]
        )

    def in_waves(self, wave_of: Callable[[MoveJson], int]) -> Written:
        """The same moves in other waves, numbered without a gap, and nothing said of causes."""
        old = [wave_of(move) for move in self.moves]
        number = {wave: index for index, wave in enumerate(sorted(set(old)), start=1)}
        moves = zip(self.moves, old, strict=True)
        return self.with_moves([{**move, "wave": number[wave]} for move, wave in moves])

    def wave(self, pod: str) -> int:
        wave: int = next(move["wave"] for move in self.moves if move["pod"] == pod)
        return wave


def move(app: App, index: int, kind: str, **fields: Any) -> MoveJson:  # noqa: ANN401
    return {
        "wave": 1,
        "stage": None,
        "cluster": app.cluster,
        "namespace": app.namespace,
        "pod": app.pod_name(index),
        "uid": app.pod_uid(index),
        "node": app.node(index),
        "workload": {"kind": app.kind, "name": app.name},
        "kind": kind,
        "containers": {"main": app.wanted},
        "because": [],
        **fields,
    }


def unmovable(app: App, index: int, reason: str = "kept") -> dict[str, Any]:
    return {
        "cluster": app.cluster,
        "namespace": app.namespace,
        "pod": app.pod_name(index),
        "workload": {"kind": app.kind, "name": app.name},
        "reason": reason,
        "remedy": "raise it",
    }


def one_a_wave(moves: Sequence[MoveJson]) -> list[MoveJson]:
    return [{**each, "wave": wave} for wave, each in enumerate(moves, start=1)]


def write(
    apps: Sequence[App],
    moves: Sequence[MoveJson],
    *,
    extra: Sequence[Row] = (),
    left: Sequence[dict[str, Any]] = (),
    **spec: Any,  # noqa: ANN401
) -> Written:
    """A plan over these apps; `spec` is the request's."""
    rows = [*(row for app in apps for row in app.rows()), *extra]
    in_order = sorted(moves, key=lambda each: each["wave"])
    header: dict[str, Any] = {
        "apiVersion": "planner/v1",
        "kind": "Plan",
        "id": "0123456789abcdef",
        "planner": "0.1.0",
        "request": request(**spec),
        "log": {"position": len(rows), "digest": "0" * 64},
        "time": TIME,
        "clusters": sorted({row["cluster"] for row in rows}),
        "proof": {},
        "bottleneck": {"name": "fleet", "text": ""},
        "budgets": [],
        "warnings": [],
        "unmovable": list(left),
        "pods": {app.subject(): app.pods for app in apps},
        "partial": {},
    }
    return Written(rows=rows, header={**header, **numbers(in_order, header)}, moves=in_order)


def numbers(moves: Sequence[MoveJson], header: dict[str, Any]) -> dict[str, Any]:
    """The part of a header that follows from the moves."""
    waves = max((each["wave"] for each in moves), default=0)
    names = sorted({_workload(each) for each in moves})
    stages = header["request"]["spec"].get("stages", [])
    per_wave = _per_wave(moves, waves, names, stages)
    seconds = per_wave[-1]["start_s"] + per_wave[-1]["seconds"] if per_wave else 0
    return {
        "waves": waves,
        "waves_bound": min(1, waves),
        "seconds": seconds,
        "seconds_bound": 0,
        "totals": {
            "moves": len(moves),
            "pods": sum(header["pods"].values()),
            "unmovable": len(header["unmovable"]),
            "kinds": dict(Counter(each["kind"] for each in moves)),
            "disruptions_saved": header.get("totals", {}).get("disruptions_saved", 0),
        },
        "workloads": [
            {
                **_workload_entry(name, moves, header["pods"].get("/".join(name)), stages),
                "partial": header["partial"].get("/".join(name), 0),
            }
            for name in names
        ],
        "per_wave": per_wave,
    }


def _workload(each: MoveJson) -> tuple[str, str, str, str]:
    workload = each["workload"]
    return each["cluster"], each["namespace"], workload["kind"], workload["name"]


def _span(moves: Sequence[MoveJson]) -> dict[str, int]:
    waves = [each["wave"] for each in moves]
    return {"moves": len(moves), "first_wave": min(waves), "last_wave": max(waves)}


def _workload_entry(
    name: tuple[str, str, str, str],
    moves: Sequence[MoveJson],
    pods: int | None,
    stages: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    own = [each for each in moves if _workload(each) == name]
    by_stage = [
        {"name": stage["name"], **_span(part)}
        for stage in stages
        if (part := [each for each in own if each["stage"] == stage["name"]])
    ]
    fields = dict(zip(("cluster", "namespace", "kind", "name"), name, strict=True))
    return {**fields, "pods": pods, **_span(own), "stages": by_stage}


def _per_wave(
    moves: Sequence[MoveJson],
    waves: int,
    names: list[tuple[str, str, str, str]],
    stages: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    entries = []
    end_s = 0
    soaking: dict[tuple[str, str, str, str], tuple[str, int]] = {}
    soak_s = {stage["name"]: 60 * int(stage.get("soak", "0m")[:-1]) for stage in stages}
    for wave in range(1, waves + 1):
        own = [each for each in moves if each["wave"] == wave]
        start_s = end_s
        for each in own:
            stage, stage_end_s = soaking.get(_workload(each), (each["stage"], 0))
            if stage != each["stage"]:
                start_s = max(start_s, stage_end_s + soak_s.get(stage, 0))
        counts = Counter(names.index(_workload(each)) for each in own)
        begun = {
            f"stage {each['stage']} of {'/'.join(_workload(each))}"
            for each in own
            if each["stage"] and soaking.get(_workload(each), ("", 0))[0] != each["stage"]
        }
        entries.append(
            {
                "wave": wave,
                "start_s": start_s,
                "seconds": WAVE_S,
                "waits_s": start_s - end_s,
                "moves": len(own),
                "kinds": dict(Counter(each["kind"] for each in own)),
                "workloads": [list(pair) for pair in sorted(counts.items())],
                "approvals": sorted(begun),
            }
        )
        end_s = start_s + WAVE_S
        for each in own:
            soaking[_workload(each)] = (each["stage"], end_s)
    return entries
