"""Ways to break the shop's plan: each gives the broken plan, the rule, and what breaks it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.shop import rows_of, shop_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Written:
    """The shop's plan as JSON, to be written otherwise."""

    header: Json
    moves: list[Json]

    def find(self, **wanted: Any) -> Json:  # noqa: ANN401
        """The first move with these fields; `name` is the workload's."""
        return next(self.all(**wanted))

    def all(self, **wanted: Any) -> Iterator[Json]:  # noqa: ANN401
        name = wanted.pop("name", None)
        return (
            move
            for move in self.moves
            if all(move[key] == value for key, value in wanted.items())
            and name in (None, move["workload"]["name"])
        )

    def changed(self, move: Json, **fields: Any) -> Written:  # noqa: ANN401
        """The plan with one move changed, in the order of its waves."""
        moves = [{**each, **fields} if each is move else each for each in self.moves]
        return replace(self, moves=sorted(moves, key=lambda each: each["wave"]))

    def with_header(self, **fields: Any) -> Written:  # noqa: ANN401
        return replace(self, header={**self.header, **fields})

    def with_entry(self, name: str, index: int, **fields: Any) -> Written:  # noqa: ANN401
        entries = list(self.header[name])
        entries[index] = {**entries[index], **fields}
        return self.with_header(**{name: entries})


def subject_of(move: Json) -> str:
    return f"{move['cluster']}/{move['namespace']}/{move['pod']}"


def workload_of(move: Json) -> str:
    workload = move["workload"]
    return f"{move['cluster']}/{move['namespace']}/{workload['kind']}/{workload['name']}"


Broken = tuple[Written, str, str]


def two_waves_as_one(plan: Written) -> Broken:
    """Fold the two last waves of cart into one: its SidecarSet has no room for both."""
    moves = list(plan.all(cluster="hangzhou", name="cart"))
    last = moves[-1]["wave"]
    merged = [{**move, "wave": last - 1} if move["wave"] == last else move for move in plan.moves]
    return replace(plan, moves=merged), "sidecarset-budget", "hangzhou/sidecarset/log-tail"


def everything_at_once(plan: Written) -> Broken:
    return (
        replace(plan, moves=[{**move, "wave": 1} for move in plan.moves]),
        "request-budget",
        "fleet",
    )


def a_dropped_move(plan: Written) -> Broken:
    move = plan.find(name="web")
    kept = [each for each in plan.moves if each is not move]
    return replace(plan, moves=kept), "unmovable-missing", subject_of(move)


def a_doubled_move(plan: Written) -> Broken:
    move = plan.find(name="web")
    at = plan.moves.index(move)
    return (
        replace(plan, moves=[*plan.moves[:at], move, *plan.moves[at:]]),
        "one-move",
        subject_of(move),
    )


def swapped_ordinals(plan: Written) -> Broken:
    first, second = list(plan.all(cluster="hangzhou", name="mysql"))[2:4]
    assert first["wave"] < second["wave"]
    names = ("pod", "uid", "node")
    swap = {id(first): second, id(second): first}
    moves = [
        {**move, **{name: swap[id(move)][name] for name in names}} if id(move) in swap else move
        for move in plan.moves
    ]
    return replace(plan, moves=moves), "order", subject_of(second)


def another_kind(plan: Written) -> Broken:
    move = plan.find(kind="in-place", name="cart")
    return plan.changed(move, kind="recreate"), "kind", subject_of(move)


def no_kind(plan: Written) -> Broken:
    move = plan.find(kind="surge")
    return plan.changed(move, kind="restart"), "kind", subject_of(move)


def another_image(plan: Written) -> Broken:
    move = plan.find(name="payment")
    images = {**move["containers"], "main": "registry.example.com/payment:6.6.6"}
    return plan.changed(move, containers=images), "containers", subject_of(move)


def another_container(plan: Written) -> Broken:
    move = plan.find(name="order")
    images = {**move["containers"], "debug": "registry.example.com/debug:1.0.0"}
    return plan.changed(move, containers=images), "containers", subject_of(move)


def another_node(plan: Written) -> Broken:
    move = plan.find(name="web")
    return plan.changed(move, node="node-9999"), "node", subject_of(move)


def another_workload(plan: Written) -> Broken:
    move = plan.find(name="web")
    workload = {"kind": "Deployment", "name": "catalog"}
    return plan.changed(move, workload=workload), "workload", subject_of(move)


def another_uid(plan: Written) -> Broken:
    move = plan.find(name="web")
    uid = "00000000-0000-0000-0000-000000000000"
    return plan.changed(move, uid=uid), "pod-exists", subject_of(move)


def a_node_with_too_many(plan: Written) -> Broken:
    """Bring a third pod of a node into a wave in which two of its pods are down."""
    places = Counter(
        (move["wave"], move["cluster"], move["node"])
        for move in plan.moves
        if move["kind"] != "surge"
    )
    (wave, cluster, node), _ = next(pair for pair in places.items() if pair[1] == 2)
    later = next(
        move
        for move in plan.all(cluster=cluster, node=node)
        if move["wave"] > wave and move["kind"] != "surge"
    )
    return plan.changed(later, wave=wave), "request-budget", f"per-node[{cluster}/{node}]"


def a_dependency_overtaken(plan: Written) -> Broken:
    move = plan.find(cluster="hangzhou", name="order")
    return plan.changed(move, wave=2), "dependency", workload_of(move)


def a_stage_too_early(plan: Written) -> Broken:
    move = next(each for each in plan.all(name="tair") if each["stage"] == "tenth")
    return plan.changed(move, wave=1), "stage", workload_of(move)


def a_stage_that_is_none(plan: Written) -> Broken:
    move = plan.find(name="tair")
    return plan.changed(move, stage="half"), "stage", subject_of(move)


def a_canary_of_two(plan: Written) -> Broken:
    move = next(each for each in plan.all(name="tair") if each["stage"] == "tenth")
    return plan.changed(move, stage="canary"), "stage", workload_of(move)


def no_soak(plan: Written) -> Broken:
    index = next(i for i, wave in enumerate(plan.header["per_wave"]) if wave["waits_s"])
    wave = plan.header["per_wave"][index]
    early = plan.with_entry("per_wave", index, start_s=wave["start_s"] - wave["waits_s"], waits_s=0)
    moved = next(
        after
        for before, after in pairwise(plan.all(name="tair"))
        if (before["stage"], after["stage"]) == ("canary", "tenth")
    )
    assert moved["wave"] == wave["wave"]
    return early, "soak", workload_of(moved)


def nobody_is_asked(plan: Written) -> Broken:
    index = next(i for i, wave in enumerate(plan.header["per_wave"]) if wave["approvals"])
    _, _, workload = plan.header["per_wave"][index]["approvals"][0].partition(" of ")
    return plan.with_entry("per_wave", index, approvals=[]), "approval", workload


def a_disruption_budget_broken(plan: Written) -> Broken:
    moves = list(plan.all(cluster="hangzhou", name="zookeeper"))
    return (
        plan.changed(moves[3], wave=moves[2]["wave"]),
        "budget",
        "hangzhou/pdb/data/zookeeper",
    )


def a_workload_budget_broken(plan: Written) -> Broken:
    moves = list(plan.all(cluster="hangzhou", name="mysql"))
    return (
        plan.changed(moves[4], wave=moves[3]["wave"]),
        "workload-budget",
        "hangzhou/workload/data/StatefulSet/mysql",
    )


def too_many_surged(plan: Written) -> Broken:
    pods = Counter(workload_of(move) for move in plan.moves if move["kind"] == "surge")
    workload, count = pods.most_common(1)[0]
    moves = [{**move, "wave": 1} if workload_of(move) == workload else move for move in plan.moves]
    assert count > 2
    cluster, rest = workload.split("/", 1)
    ordered = sorted(moves, key=lambda move: move["wave"])
    return replace(plan, moves=ordered), "surge", f"{cluster}/surge/{rest}"


def one_that_is_called_unmovable(plan: Written) -> Broken:
    """Call a pod unmovable that nothing holds back."""
    move = list(plan.all(cluster="hangzhou", name="web"))[-1]
    names = ("cluster", "namespace", "pod", "workload")
    entry = {**{name: move[name] for name in names}, "reason": "tired", "remedy": "sleep"}
    kept = [each for each in plan.moves if each is not move]
    unmovable = [*plan.header["unmovable"], entry]
    return (
        replace(plan, moves=kept).with_header(unmovable=unmovable),
        "unmovable-unfounded",
        subject_of(move),
    )


def one_that_moves_and_is_unmovable(plan: Written) -> Broken:
    move = plan.find(name="web")
    names = ("cluster", "namespace", "pod", "workload")
    entry = {**{name: move[name] for name in names}, "reason": "x", "remedy": "y"}
    return (
        plan.with_header(unmovable=[*plan.header["unmovable"], entry]),
        "complete",
        subject_of(move),
    )


def an_excluded_pod(plan: Written) -> Broken:
    spec = plan.header["request"]["spec"]
    exclude = [*spec["exclude"], {"selector": {"matchLabels": {"app": "web"}}}]
    request = {**plan.header["request"], "spec": {**spec, "exclude": exclude}}
    return plan.with_header(request=request), "excluded", subject_of(plan.find(name="web"))


def a_paused_pod(plan: Written) -> Broken:
    """Move a pod of what is paused."""
    entry = next(
        each
        for each in plan.header["unmovable"]
        if each["workload"]["name"] == "reviews" and "paused" in each["reason"]
    )
    like = plan.find(cluster="shanghai", name="web")
    names = ("cluster", "namespace", "pod", "workload")
    row = next(
        row
        for row in rows_of(shop_log().events)
        if (row["cluster"], row.get("name")) == (entry["cluster"], entry["pod"])
    )
    move = {**like, **{name: entry[name] for name in names}}
    move |= {"uid": row["uid"], "node": row["node"], "wave": plan.header["waves"]}
    return replace(plan, moves=[*plan.moves, move]), "paused", subject_of(move)


def a_partition_crossed(plan: Written) -> Broken:
    entry = next(
        each
        for each in plan.header["unmovable"]
        if (each["cluster"], each["pod"]) == ("hangzhou", "elastic-0")
    )
    like = list(plan.all(cluster="hangzhou", name="elastic"))[-1]
    row = next(
        row
        for row in rows_of(shop_log().events)
        if (row["cluster"], row.get("name"), row.get("resource"))
        == ("hangzhou", "elastic-0", "pods")
    )
    move = {**like, "pod": entry["pod"], "uid": row["uid"], "node": row["node"]}
    move["wave"] = plan.header["waves"]
    kept = [each for each in plan.header["unmovable"] if each is not entry]
    written = replace(plan, moves=[*plan.moves, move]).with_header(unmovable=kept)
    return written, "partition", subject_of(move)


def a_false_total(plan: Written) -> Broken:
    totals = {**plan.header["totals"], "moves": 1}
    return plan.with_header(totals=totals), "totals", "totals"


def a_false_number_of_pods(plan: Written) -> Broken:
    totals = {**plan.header["totals"], "pods": 7}
    return plan.with_header(totals=totals), "totals", "totals"


def a_false_number_of_waves(plan: Written) -> Broken:
    return plan.with_header(waves=plan.header["waves"] - 1, waves_bound=1), "totals", "plan"


def a_false_headroom(plan: Written) -> Broken:
    index = next(
        i for i, each in enumerate(plan.header["budgets"]) if each["name"] == "pdb/trade/cart"
    )
    headroom = [left + 1 for left in plan.header["budgets"][index]["headroom"]]
    return (
        plan.with_entry("budgets", index, headroom=headroom),
        "totals",
        "hangzhou/pdb/trade/cart",
    )


def a_false_limit(plan: Written) -> Broken:
    index = next(i for i, each in enumerate(plan.header["budgets"]) if each["name"] == "fleet")
    return plan.with_entry("budgets", index, limit=1561), "totals", "fleet"


def a_false_time(plan: Written) -> Broken:
    return plan.with_header(seconds=1, seconds_bound=1), "totals", "seconds"


def a_false_span(plan: Written) -> Broken:
    entry = plan.header["workloads"][0]
    subject = "/".join(entry[name] for name in ("cluster", "namespace", "kind", "name"))
    return plan.with_entry("workloads", 0, last_wave=89), "totals", subject


def a_part_that_is_hidden(plan: Written) -> Broken:
    entries = plan.header["workloads"]
    index = next(at for at, entry in enumerate(entries) if entry.get("partial"))
    names = ("cluster", "namespace", "kind", "name")
    subject = "/".join(entries[index][name] for name in names)
    return plan.with_entry("workloads", index, partial=0), "totals", subject


def a_false_number_in_a_wave(plan: Written) -> Broken:
    return plan.with_entry("per_wave", 4, moves=1000), "totals", "per_wave 5"


def a_bound_above_the_plan(plan: Written) -> Broken:
    return plan.with_header(waves_bound=plan.header["waves"] + 1), "bound", "waves_bound"


def another_clusters_plan(plan: Written) -> Broken:
    return plan.with_header(clusters=["hangzhou"]), "header", "clusters"


def another_time(plan: Written) -> Broken:
    return plan.with_header(time="2026-11-23T00:00:00Z"), "header", "time"


def a_cause_in_the_first_wave(plan: Written) -> Broken:
    move = plan.find(wave=1)
    return plan.changed(move, because=["budget:fleet"]), "because", subject_of(move)


def a_cause_that_is_anothers(plan: Written) -> Broken:
    move = plan.find(wave=2, name="web") if any(plan.all(wave=2, name="web")) else plan.find(wave=2)
    return plan.changed(move, because=["budget:pdb/x/y"]), "because", subject_of(move)


def a_wave_left_out(plan: Written) -> Broken:
    moves = [{**move, "wave": move["wave"] + (move["wave"] > 5)} for move in plan.moves]
    return replace(plan, moves=moves), "wave-number", "plan"


def a_wave_of_nothing(plan: Written) -> Broken:
    move = plan.moves[0]
    return plan.changed(move, wave=0), "wave-number", subject_of(move)


BREAKS: list[Callable[[Written], Broken]] = [
    each
    for each in list(globals().values())
    if getattr(each, "__annotations__", {}).get("return") == "Broken"
]
