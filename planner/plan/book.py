"""The header of a plan as a book to look things up in: names, and what held each wave back."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

Json = Mapping[str, Any]


class Held(NamedTuple):
    """A wave of a workload, by index; and what held it back from the wave before, if anything."""

    wave: int
    workload: int
    because: str


class Book:
    """The header of a plan with what answers look up."""

    def __init__(self, header: Json) -> None:
        self.header = header
        self.workloads: list[Json] = header["workloads"]
        self.held = [
            {wave: because for wave, _moves, because in workload["held"]}
            for workload in self.workloads
        ]
        # One rule of the request makes an edge for each pair of workloads that it names.
        self.before: dict[tuple[str, int], list[int]] = {}
        for edge in header["dependencies"]:
            self.before.setdefault((edge["name"], edge["after"]), []).append(edge["before"])
        self.several = len(header["clusters"]) > 1

    def name(self, index: int) -> str:
        """Name a workload as people write it."""
        workload = self.workloads[index]
        place = f"{workload['cluster']} " if self.several else ""
        return f"{place}{workload['namespace']}/{workload['name']}"

    @cached_property
    def places(self) -> Mapping[tuple[str, str, str, str], int]:
        """Workloads by cluster, namespace, kind and name."""
        return {
            (each["cluster"], each["namespace"], each["kind"], each["name"]): index
            for index, each in enumerate(self.workloads)
        }

    @cached_property
    def drained(self) -> set[tuple[str, str]]:
        """Cluster and name of every node that is drained."""
        return {(each["cluster"], each["name"]) for each in self.header.get("drains", ())}

    @cached_property
    def last(self) -> int:
        """The workload that is the last to finish."""
        return max(range(len(self.workloads)), key=lambda i: (self._last_wave(i), -i))

    def _last_wave(self, index: int) -> int:
        return self.workloads[index]["last_wave"] or 0

    def critical_chain(self) -> Sequence[Held]:
        """The chain that ends with the plan: whoever shortens the plan has to break it."""
        return self.chain(self.last, self.header["waves"]) if self.header["waves"] else ()

    def chain(self, index: int, wave: int) -> Sequence[Held]:
        """Follow the reasons back to wave 1, or to a wave that nothing held, which comes first."""
        links = []
        while wave >= 1:
            because = self.held[index].get(wave) or ""
            links.append(Held(wave, index, because))
            if not because:
                break
            index = self._holder(index, wave - 1, because)
            wave -= 1
        return links[::-1]

    def _holder(self, index: int, wave: int, because: str) -> int:
        """Who was there in the wave before, so that this one had to wait."""
        kind, _, name = because.partition(":")
        if kind == "dependency" and (name, index) in self.before:
            before = self.before[name, index]
            return next((each for each in before if wave in self.held[each]), before[0])
        if wave in self.held[index]:
            return index
        takers = [
            (moves, -other)
            for other, moves in self.header["per_wave"][wave - 1]["workloads"]
            if kind != "budget" or self._takes(other, name)
        ]
        return -max(takers)[1] if takers else index

    def _takes(self, index: int, budget: str) -> bool:
        takers = self._takers.get(budget)
        return takers is None or index in takers

    @cached_property
    def _takers(self) -> Mapping[str, set[int]]:
        """Workloads by the name of the budget that they take from: clusters share names."""
        takers: dict[str, set[int]] = {}
        for budget in self.header["budgets"]:
            for name in budget_names(budget):
                takers.setdefault(name, set()).update(budget["workloads"])
        return takers

    def empties(self, move: Json) -> bool:
        """Whether a move takes its pod away from a node that is drained."""
        daemon = move["workload"]["kind"] in ("DaemonSet", "AdvancedDaemonSet")
        here = (move["cluster"], move["node"])
        return move["kind"] != "in-place" and not daemon and here in self.drained

    def budget(self, index: int, name: str) -> Json | None:
        """Find the budget of that name that a workload takes from: clusters share names."""
        named = (each for each in self.header["budgets"] if name in budget_names(each))
        return next((each for each in named if index in each["workloads"]), None)


def budget_names(budget: Json) -> set[str]:
    """What people may call a budget."""
    name = budget["name"]
    return {name, f"{budget['cluster']}/{name}", f"{budget['cluster']} {name}"}
