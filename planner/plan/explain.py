"""Answers why a thing is where it is, from the schedule itself.

Pure: reads the header and the moves of a plan, nothing else. Every chunk of moves in a plan names
what held it back from the wave before; following that from wave to wave gives the chain that ends
at the thing asked about.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.errors import NotInPlanError
from planner.plan.book import Book, Held, budget_names

Json = Mapping[str, Any]

NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One wave of a chain: what moved there, and what held it back from the wave before."""

    wave: int
    subject: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """An answer: what was asked about, what is so, the chain of waves, what would change it."""

    subject: str
    kind: str
    facts: Sequence[str]
    chain: Sequence[Link] = field(default=())
    remedies: Sequence[str] = field(default=())


def explain(header: Json, moves: Iterable[Json], what: str) -> list[Reasons]:
    """Say why `what` is in its wave: a pod, a workload, a wave, a budget, a node, or `plan`.

    Raises:
        NotInPlanError: the plan has no such thing.
    """
    book = Book(header)
    what = what.removeprefix("budget:")  # As the reasons of moves name a budget.
    if what == "plan":
        return [_of_plan(book)]
    match what.split():
        case ["wave", number] if number.isdecimal():
            return [_of_wave(book, int(number))]
    found = (
        [_of_budget(book, each) for each in header["budgets"] if what in budget_names(each)]
        or [
            _of_workload(book, index)
            for index, each in enumerate(header["workloads"])
            if what in _workload_names(each)
        ]
        or [
            _of_node(book, each, moves)
            for each in header.get("drains", ())
            if what in {each["name"], f"{each['cluster']}/{each['name']}"}
        ]
        or _of_pods(book, moves, what)
    )
    if not found:
        raise NotInPlanError(
            f"{what}: neither a pod, a workload, a wave, a budget nor a drained node of plan "
            f"{header['id']}; "
            "give `namespace/name` as `planner show` prints it"
        )
    return found


def _links(book: Book, chain: Iterable[Held]) -> list[Link]:
    return [
        Link(wave=wave, subject=book.name(index), because=because or "nothing")
        for wave, index, because in chain
    ]


def _of_plan(book: Book) -> Reasons:
    header = book.header
    if not header["waves"]:
        return Reasons(subject=f"plan {header['id']}", kind="plan", facts=["nothing moves"])
    gap = header["waves"] - header["waves_bound"]
    return Reasons(
        subject=f"plan {header['id']}",
        kind="plan",
        facts=[
            f"{header['waves']} waves; at least {header['waves_bound']} are needed",
            header["proof"]["waves"]["text"],
            "no plan is shorter" if gap == 0 else f"at most {gap} waves could be saved",
            f"the last to finish is {book.name(book.last)}",
            header["bottleneck"]["text"],
            *_without_barriers(header),
        ],
        chain=_links(book, book.critical_chain()),
    )


def _without_barriers(header: Json) -> list[str]:
    told = header.get("streaming")
    if told is None:
        return []
    hours = f"without barriers {told['seconds']:,.0f} s instead of {header['seconds']:,.0f} s"
    return [f"{hours}; at least {told['seconds_bound']:,.0f} s", told["proof"]["text"]]


def _of_wave(book: Book, number: int) -> Reasons:
    waves = book.header["per_wave"]
    if not 1 <= number <= len(waves):
        raise NotInPlanError(f"wave {number}: the plan has waves 1 to {len(waves)}")
    wave = waves[number - 1]
    full = [
        budget["name"] for budget in book.header["budgets"] if budget["headroom"][number - 1] <= 0
    ]
    ranked = sorted(wave["workloads"], key=lambda pair: (-pair[1], pair[0]))
    facts = [
        f"{wave['moves']:,} moves; the largest: "
        + ", ".join(f"{book.name(i)} {n:,}" for i, n in ranked[:NAMES_SHOWN]),
        "full: " + (", ".join(full[:NAMES_SHOWN]) or "no named budget")
        + (f" and {len(full) - NAMES_SHOWN:,} more" if len(full) > NAMES_SHOWN else ""),
    ]  # fmt: skip
    if wave["waits_s"]:
        facts.append(f"it waits {wave['waits_s']:.0f} s for the soak of a stage")
    index = ranked[0][0]
    return Reasons(
        subject=f"wave {number}",
        kind="wave",
        facts=facts,
        chain=_links(book, book.chain(index, number)),
    )


def _of_budget(book: Book, budget: Json) -> Reasons:
    full = [wave for wave, left in enumerate(budget["headroom"], 1) if left <= 0]
    facts = [f"{budget['resolved']}; {budget['down']:,} of its pods are down already"]
    if full:
        first, last = full[0], full[-1]
        facts.append(
            f"it is full in {len(full)} of {len(budget['headroom'])} waves, {first} to {last}"
        )
    else:
        facts.append("it is never full: it holds nothing back")
    takers = ", ".join(book.name(i) for i in budget["workloads"][:NAMES_SHOWN])
    facts.append(f"workloads that take from it ({len(budget['workloads']):,}): {takers or 'none'}")
    remedy = f"raise {budget['name']} above {budget['limit']:,}" if full else ""
    return Reasons(
        subject=budget["name"],
        kind="budget",
        facts=facts,
        remedies=[remedy] if remedy else [],
    )


def _of_workload(book: Book, index: int) -> Reasons:
    workload = book.workloads[index]
    name = book.name(index)
    if not workload["moves"]:
        return Reasons(subject=name, kind="workload", facts=_why_none(book, workload))
    stages = ", ".join(
        f"{stage['name']} {stage['moves']:,} in {_waves(stage)}"
        for stage in workload["stages"]
        if stage["moves"]
    )
    facts = [
        f"{workload['moves']:,} of {workload['pods']:,} pods move in {_waves(workload)}",
        *([f"stages: {stages}"] if stages else []),
    ]
    last = workload["last_wave"]
    return Reasons(
        subject=name,
        kind="workload",
        facts=facts,
        chain=_links(book, book.chain(index, last)),
        remedies=_remedies(book, index, set(book.held[index].values()) - {None}),
    )


def _waves(moved: Json) -> str:
    first, last = moved["first_wave"], moved["last_wave"]
    return f"wave {first}" if first == last else f"waves {first} to {last}"


def _why_none(book: Book, workload: Json) -> list[str]:
    mine = [
        pod["reason"]
        for pod in book.header["unmovable"]
        if pod["workload"]
        and (pod["cluster"], pod["namespace"], pod["workload"]["name"])
        == (workload["cluster"], workload["namespace"], workload["name"])
    ]
    return [f"no pod moves: {reason}" for reason in sorted(set(mine))] or ["no pod moves"]


def _of_node(book: Book, node: Json, moves: Iterable[Json]) -> Reasons:
    here = (node["cluster"], node["name"])
    leaving = [
        move for move in moves if (move["cluster"], move["node"]) == here and book.empties(move)
    ]
    facts = [f"{node['moves']:,} pods leave it, {node['stays']:,} that should cannot"]
    if node["wave"] is not None:
        facts.append(f"it is empty after wave {node['wave']}" if node["wave"] else "it is empty")
    last = max(leaving, key=lambda move: move["wave"], default=None)
    chain: Sequence[Link] = ()
    if last is not None:
        facts.append(f"the last to leave is {last['namespace']}/{last['pod']}")
        chain = _of_move(book, last).chain
    return Reasons(
        subject=f"{node['cluster']} node {node['name']}", kind="node", facts=facts, chain=chain
    )


def _of_pods(book: Book, moves: Iterable[Json], what: str) -> list[Reasons]:
    found = [_of_move(book, move) for move in moves if what in _pod_names(move)]
    return found + [
        Reasons(
            subject=f"{pod['cluster']} {pod['namespace']}/{pod['pod']}",
            kind="pod",
            facts=[f"it differs from the target and cannot be moved: {pod['reason']}"],
            remedies=[pod["remedy"]],
        )
        for pod in book.header["unmovable"]
        if what in _pod_names(pod)
    ]


def _of_move(book: Book, move: Json) -> Reasons:
    index = book.places[_place(move)]
    stage = f", stage {move['stage']}" if move["stage"] else ""
    changes = ", ".join(f"{name} to {image}" for name, image in move["containers"].items())
    node = f"leaves {move['node']}, which is drained" if book.empties(move) else ""
    what = "; ".join(filter(None, (changes, node)))
    chain = _links(book, book.chain(index, move["wave"]))
    if move["because"]:
        chain[-1] = Link(
            wave=move["wave"], subject=chain[-1].subject, because=", ".join(move["because"])
        )
        held = f"wave {move['wave'] - 1} had no room: {', '.join(move['because'])}"
    else:
        held = "nothing held it back"
    facts = [f"moves in wave {move['wave']}{stage}, {move['kind']}: {what}", held]
    if "start_s" in move:
        begins, lasts = move["start_s"], move["seconds"]
        facts.append(
            f"begins {begins:,.0f} s after the start, whoever moves then, for {lasts:.0f} s"
        )
    return Reasons(
        subject=f"{move['cluster']} {move['namespace']}/{move['pod']}",
        kind="pod",
        facts=facts,
        chain=chain,
        remedies=_remedies(book, index, set(move["because"])),
    )


def _remedies(book: Book, index: int, because: set[str]) -> list[str]:
    remedies = []
    for reason in sorted(because):
        kind, _, name = reason.partition(":")
        if kind == "budget":
            known = book.budget(index, name)
            limit = f" above {known['limit']:,}" if known else ""
            remedies.append(f"raise {name}{limit}")
        elif kind == "dependency":
            remedies.append(f"let `{name}` begin earlier: a smaller `ready`")
        elif kind == "stage":
            remedies.append(f"a larger stage {name}, or less soak after it")
        elif kind == "gang":
            remedies.append(f"room for its whole gang by {name} in an earlier wave")
        elif kind in ("window", "freeze"):
            remedies.append(
                f"more time outside {reason}" if kind == "freeze" else f"a longer {reason}"
            )
    return remedies


def _place(move: Json) -> tuple[str, str, str, str]:
    workload = move["workload"]
    return move["cluster"], move["namespace"], workload["kind"], workload["name"]


def _pod_names(pod: Json) -> set[str]:
    short = f"{pod['namespace']}/{pod['pod']}"
    return {pod["pod"], short, f"{pod['cluster']}/{short}", pod.get("uid", "")} - {""}


def _workload_names(workload: Json) -> set[str]:
    name, cluster = workload["name"], workload["cluster"]
    short = f"{workload['namespace']}/{name}"
    typed = f"{workload['namespace']}/{workload['kind']}/{name}"
    placed = {f"{cluster}/{short}", f"{cluster}/{typed}", f"{cluster} {short}"}
    return {name, f"{workload['kind']}/{name}", short, typed} | placed
