"""What budgets leave for moves that go beside others, without barriers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from planner.simulate.budgets import Budget
from planner.simulate.driver import Driver
from planner.simulate.planned import Planned, claim, places_of
from planner.simulate.rates import Place

_OWN: Final = "workload/"
_OF_SURGES: Final = frozenset(("surge", "room", "ResourceQuota"))
"""Sources of budgets from which surges take."""


_Own = tuple[str, str]
"""A budget of surges: its cluster and its name."""


class Room:
    """The room of one moment; what is taken is gone until somebody looks again.

    Surges take room on nodes and in quotas, of which only the plan knows how much there is.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._surges = _surges(driver.header)
        self._of_all: dict[Place, list[Budget]] = {}
        self._claimed: dict[int, int] = {}
        self._surging: Counter[_Own] = Counter()
        for each in driver.planned:
            its = [it for it in each.slot.budgets if isinstance(it, Budget)]
            shared = self._of_all.setdefault(each.place, its)
            self._of_all[each.place] = [it for it in shared if it in its]

    def look(self) -> None:
        """Count anew what is promised, and who serves but has not done so for long enough."""
        self._claimed = self._driver.claims()
        self._surging.clear()
        for each in self._driver.under_way:
            if each.move["kind"] == "surge":
                self._surging.update(own for own, _ in self._surges.get(each.place, ()))
            elif each.min_ready_s and each.slot.up and each.slot.taken:
                for own in self._of_all[each.place]:
                    if own.name.startswith(_OWN):
                        self._claimed[id(own)] = self._claimed.get(id(own), 0) + 1

    def full(self, place: Place) -> str:
        """A budget of all moves of a workload that has no room; empty when there is none."""
        for each in self._of_all[place]:
            if not each.has_room(self._claimed.get(id(each), 0)):
                return f"budget {each.name}"
        return ""

    def take(self, planned: Planned) -> str:
        """Take what a move needs; or nothing, and name the budget that is full."""
        place = planned.place
        if planned.move["kind"] != "surge" or not planned.slot.up:
            return claim(planned, self._claimed)
        its = self._surges.get(place, ())
        for own, limit in its:
            if self._surging[own] >= limit:
                _, name = own
                return f"budget {name}"
        self._surging.update(own for own, _ in its)
        return ""


def needs_room(planned: Planned) -> bool:
    """Whether a move takes from the budgets of its pod."""
    return planned.slot.up and planned.move["kind"] != "surge"


def _surges(header: Mapping[str, Any]) -> Mapping[Place, Sequence[tuple[_Own, int]]]:
    """The budgets from which surges of a workload take, and how many at once."""
    places = places_of(header)
    found: dict[Place, list[tuple[_Own, int]]] = {}
    for each in header["budgets"]:
        if each["source"] in _OF_SURGES:
            for index in each["workloads"]:
                own = (each["cluster"], each["name"])
                found.setdefault(places[index], []).append((own, each["limit"]))
    return found
