"""What a question to a plan supposes: another request, and limits that clusters do not have."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from planner.errors import UsageError

_OF_CLUSTERS: Final = re.compile(
    r"((?P<cluster>[^/.]+)/)?(?P<name>(pdb|pub|workload|surge|room|quota|sidecarset)/.+)"
)
_LIMIT: Final = re.compile(r"[+-]?[0-9]{1,9}")


class Limit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """So many pods at once, or so many more than the clusters say."""

    to: int | None = None
    by: int | None = None


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """The limit that a budget is supposed to have; without `cluster` in every cluster."""

    name: str
    cluster: str | None
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """Paths and values of the request, paths that are taken out, and limits of budgets."""

    sets: Sequence[tuple[str, Any]] = ()
    unsets: Sequence[str] = ()
    allowances: Sequence[Allowance] = ()


def is_budget_of_clusters(path: str) -> bool:
    """Whether a path names a budget that comes from the clusters: `[hangzhou/]pdb/trade/cart`."""
    return _OF_CLUSTERS.fullmatch(path) is not None


def suppose(sets: Iterable[tuple[str, Any]], unsets: Iterable[str]) -> Supposed:
    """Tell changes of the request from limits of the clusters' budgets.

    Raises:
        UsageError: a limit that is none, or one that is to be taken out.
    """
    sets, unsets = list(sets), list(unsets)
    for path in unsets:
        if is_budget_of_clusters(path):
            raise UsageError(
                f"--unset {path}: a budget of the clusters can only be supposed to be larger; "
                f"write --set {path}=+1"
            )
    return Supposed(
        sets=[(path, value) for path, value in sets if not is_budget_of_clusters(path)],
        unsets=unsets,
        allowances=[_allowance(path, value) for path, value in sets if is_budget_of_clusters(path)],
    )


def _allowance(path: str, value: object) -> Allowance:
    found = _OF_CLUSTERS.fullmatch(path)
    assert found is not None  # the caller asked
    text = "" if isinstance(value, bool) else str(value)
    if not _LIMIT.fullmatch(text):
        raise UsageError(
            f"--set {path}={value}: write +1 for one pod more at once, or 5 for five pods"
        )
    limit = Limit(by=int(text)) if text[0] in "+-" else Limit(to=int(text))
    return Allowance(name=found["name"], cluster=found["cluster"], limit=limit)


def check_allowances(allowances: Iterable[Allowance], budgets: Sequence[Mapping[str, Any]]) -> None:
    """Refuse limits of budgets from which no move takes.

    Args:
        allowances: what is supposed.
        budgets: those of the header of the plan that supposes it.

    Raises:
        UsageError: no budget has the name; with the nearest that there is.
    """
    for each in allowances:
        names = {budget["name"] for budget in budgets if each.cluster in {None, budget["cluster"]}}
        if each.name not in names:
            asked = f"{each.cluster}/{each.name}" if each.cluster else each.name
            near = difflib.get_close_matches(each.name, sorted(names), n=1, cutoff=0.0)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"--set {asked}: no move takes from a budget of that name{hint}")
