"""Shows what became different from one plan to another as text."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from planner.model.plan_diff import (
    ChangedBudget,
    ChangedMoves,
    ChangedWorkload,
    Counts,
    Figures,
    PlanDiff,
    Spans,
    Texts,
)
from planner.show.table import counts, duration, plain_table, plural, tell_table, tell_warnings
from planner.show.unmovable import tell_unmovable

WORKLOADS_SHOWN = 24
LINES_SHOWN = 12
OF_WORKLOADS = {"workload": "its maxUnavailable", "surge": "its maxSurge"}
OF_CLUSTERS = ("pdb", "pub", "room", "quota", "sidecarset")
"""Budgets whose names have a slash; behind that of another budget comes its place."""
VALUE_CHARS = 60


def tell_plan_diff(diff: PlanDiff, console: Console, *, everything: bool = False) -> None:
    """Print the figures of both plans, what was asked otherwise, and every change that it made."""
    before, after = diff.before, diff.after
    console.print(
        Text.assemble(
            ("Plan ", "bold"), (before.id, "bold cyan"), " → ", (after.id, "bold cyan"),
            f" for {_went(before.name, after.name)}, log position "
            f"{_went(f'{before.position:,}', f'{after.position:,}')}",
        )
    )  # fmt: skip
    if diff.same:
        console.print("  no difference: the same moves in the same waves, held by the same things")
        return
    shown = None if everything else LINES_SHOWN
    _tell_asked(diff, console, shown)
    _tell_figures(before, after, console)
    _tell_moves(diff, console, everything=everything)
    _tell_budgets(diff.budgets, console, shown)
    _tell_dependencies(diff, console, shown)
    _tell_unmovable(diff, console, everything=everything)
    tell_warnings(diff.warnings.came, console, everything=everything)
    for text in diff.warnings.went[:shown]:
        console.print(Text.assemble(("no warning any more: ", "dim"), text))


def _went(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _tell_asked(diff: PlanDiff, console: Console, shown: int | None) -> None:
    if not diff.request:
        return
    console.print("\nAsked otherwise:")
    for each in diff.request[:shown]:
        console.print(Text(f"  {each.path}: {_value(each.before)} → {_value(each.after)}"))
    _tell_rest(len(diff.request), shown, console)


def _value(value: Any) -> str:  # noqa: ANN401 any JSON
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= VALUE_CHARS else f"{text[: VALUE_CHARS - 1]}…"


def _tell_figures(before: Figures, after: Figures, console: Console) -> None:
    rows: list[tuple[str, str, str, str]] = []

    def row(name: str, of: Callable[[Figures], float], *, show: Callable[[float], str]) -> None:
        one, other = of(before), of(after)
        if one != other or name in {"waves", "time"}:
            sign = "+" if other > one else "-"
            change = "" if show(one) == show(other) else sign + show(abs(other - one))
            rows.append((name, show(one), show(other), change))

    def number(value: float) -> str:
        return f"{value:,.0f}"

    row("waves", lambda it: it.waves, show=number)
    row("  at least", lambda it: it.waves_bound, show=number)
    row("time", lambda it: it.seconds, show=duration)
    row("  at least", lambda it: it.seconds_bound, show=duration)
    row("moves", lambda it: it.moves, show=number)
    for kind in dict.fromkeys((*before.kinds, *after.kinds)):
        row(f"  {kind}", lambda it, kind=kind: it.kinds.get(kind, 0), show=number)  # type: ignore[misc]
    row("disruptions saved", lambda it: it.disruptions_saved, show=number)
    row("cannot be moved", lambda it: it.unmovable, show=number)
    console.print()
    tell_table(console, ("", "BEFORE", "AFTER", ""), rows, right=("BEFORE", "AFTER"))
    if after.waves < before.waves and after.seconds > before.seconds:
        console.print("The fewest waves come first, then the least time.")
    if before.bottleneck != after.bottleneck:
        console.print(Text(f"before: {before.bottleneck}", style="dim"))
        console.print(Text(f"after: {after.bottleneck}", style="dim"))


def _tell_moves(diff: PlanDiff, console: Console, *, everything: bool) -> None:
    console.print(f"\nMoves: {counts(_said(msgspec.structs.asdict(diff.moves)))}")
    if not diff.workloads:
        return
    several = len({*diff.before.clusters, *diff.after.clusters}) > 1
    workloads = sorted(diff.workloads, key=_rank)
    if everything:
        _tell_each_change(workloads, console, several=several)
        return
    rows = [
        (
            _place(each, several=several),
            _went(*(f"{count or 0:,}" for count in _pair(each.moves))),
            _went(*(_span(span) for span in _pair(each.waves))),
            counts(_said(_fates(each))),
            _most(each.changes),
        )
        for each in workloads[:WORKLOADS_SHOWN]
    ]
    columns = ("WORKLOAD", "MOVES", "WAVES", "CHANGED", "HELD, MOST OF THEM, BY")
    tell_table(console, columns, rows, right=("MOVES",))
    left = len(workloads) - len(rows)
    if left:
        console.print(f"... and {plural(left, 'workload')} more: planner plan-diff -v")


def _tell_each_change(
    workloads: Iterable[ChangedWorkload], console: Console, *, several: bool
) -> None:
    for each in workloads:
        moves = _went(*(f"{count or 0:,}" for count in _pair(each.moves)))
        waves = _went(*(_span(span) for span in _pair(each.waves)))
        head = Text(f"  {_place(each, several=several)}", style="bold")
        rest = f"  {moves} {'move' if moves == '1' else 'moves'} in waves {waves}"
        console.print(head + Text(rest, style="not bold"))
        for line, count in _lines(each.changes, _line):
            console.print(Text(f"    {count:,} {line}"))


def _place(workload: ChangedWorkload, *, several: bool) -> str:
    cluster = f"{workload.cluster} " if several else ""
    return f"{cluster}{workload.namespace}/{workload.name}"


def _rank(workload: ChangedWorkload) -> tuple[int, int]:
    """Those with the most moves in other waves first."""
    fates = _fates(workload)
    stay = fates.get("stays", 0)
    return stay - sum(fates.values()), -stay


def _fates(workload: ChangedWorkload) -> Counter[str]:
    fates: Counter[str] = Counter()
    for each in workload.changes:
        fates[each.change] += each.moves
    return fates


def _said(fates: Mapping[str, int]) -> dict[str, int]:
    """Moves by what became of them, as people say it."""
    names = {
        "came": "new",
        "went": "gone",
        "earlier": "earlier",
        "later": "later",
        "stays": "in the same wave",
        "same": "as before",
    }
    return {said: fates.get(name, 0) for name, said in names.items()}


def _pair(both: Counts | Spans | Texts) -> tuple[Any, Any]:
    return both.before, both.after


def _span(span: tuple[int, int] | None) -> str:
    if span is None:
        return "none"
    first, last = span
    return f"{first}" if first == last else f"{first}-{last}"


def _lines(
    changes: Iterable[ChangedMoves], say: Callable[[ChangedMoves], str]
) -> Iterator[tuple[str, int]]:
    """Say changes and how many moves each is of, those of most first."""
    told: Counter[str] = Counter()
    for each in changes:
        told[say(each)] += each.moves
    yield from sorted(told.items(), key=lambda pair: (-pair[1], pair[0]))


def _most(changes: Iterable[ChangedMoves]) -> str:
    """What holds most of the moves that changed."""
    text, moves = next(_lines(changes, _reason))
    return f"{text} ({moves:,})"


def _reason(change: ChangedMoves) -> str:
    """What holds moves now, and held them before; of budgets not at which place."""
    if change.change == "went" and not change.because.after:
        return "not to be moved now"
    images = "other images; " if change.images else ""
    before, after = (_held(text, place=False) for text in _pair(change.because))
    return images + (f"{after} as before" if before == after else f"{after}, before {before}")


def _line(change: ChangedMoves) -> str:
    before, after = (_held(text) for text in _pair(change.because))
    match change.change:
        case "came":
            what = [f"new, {change.kind.after}"]
            held = f"held by {after}"
            held += f"; before {before}" if change.because.before else ""
        case "went":
            what = [f"gone, {change.kind.before}"]
            held = after if change.because.after else "not to be moved now"
        case _:
            what = [] if change.change == "stays" else [change.change]
            what += [
                f"{name} {one or 'none'} → {other or 'none'}"
                for name, (one, other) in (
                    ("as", _pair(change.kind)),
                    ("stage", _pair(change.stage)),
                )
                if one != other
            ]
            what += ["to other images"] if change.images else []
            held = f"held by {after}" + (
                f", before by {before}" if before != after else " as before"
            )
    return f"{', '.join(what) or 'in the same wave'}: {held}"


def _held(because: str | None, *, place: bool = True) -> str:
    if because is None:
        return "nothing"
    kind, _, name = because.partition(":")
    if kind == "unmovable":
        return f"it cannot be moved: {name}" if place else name
    if place or kind != "budget":
        return because
    source = name.partition("/")[0]
    if source in OF_WORKLOADS:
        return OF_WORKLOADS[source]
    return because if source in OF_CLUSTERS else f"budget:{source}"


def _tell_budgets(budgets: Iterable[ChangedBudget], console: Console, shown: int | None) -> None:
    budgets = sorted(budgets, key=lambda each: (each.cluster is not None, each.name))
    if not budgets:
        return
    table = plain_table("BUDGET", "CLUSTER", "LIMIT", "FULL IN", "RULE", right=("LIMIT",))
    for each in budgets[:shown]:
        limit = _went(*("none" if count is None else f"{count:,}" for count in _pair(each.limit)))
        full = _went(*(f"{count or 0:,}" for count in _pair(each.full_waves)))
        rule = each.resolved.after or "nothing takes from it now"
        table.add_row(each.name, each.cluster or "", limit, f"{full} waves", Text(rule))
    console.print("\nBudgets that are not the same:")
    console.print(table)
    _tell_rest(len(budgets), shown, console)


def _tell_dependencies(diff: PlanDiff, console: Console, shown: int | None) -> None:
    told: Counter[str] = Counter()
    for each in diff.dependencies:
        before, after = _pair(each.moves)
        what = "gone" if after is None else "new" if before is None else ""
        told[f"{each.name}: {what or f'after {before:,} → {after:,} moves'}"] += 1
    if not told:
        return
    console.print("\nDependencies that are not the same:")
    for text, pairs in list(told.items())[:shown]:
        console.print(f"  {text}" + (f" ({pairs:,} pairs of workloads)" if pairs > 1 else ""))
    _tell_rest(len(told), shown, console)


def _tell_unmovable(diff: PlanDiff, console: Console, *, everything: bool) -> None:
    changed = diff.unmovable
    for pods, title in (
        (changed.came, "Cannot be moved any more"),
        (changed.went, "No longer among those that cannot be moved"),
        (changed.changed, "Cannot be moved, for another reason now"),
    ):
        if pods:
            console.print(f"\n{title} ({len(pods):,}):")
            plain = msgspec.to_builtins(pods)
            tell_unmovable(plain, console, everything=everything, groups_shown=LINES_SHOWN)


def _tell_rest(count: int, shown: int | None, console: Console) -> None:
    if shown is not None and count > shown:
        console.print(f"  ... and {count - shown:,} more: planner plan-diff -v, or --format json")
