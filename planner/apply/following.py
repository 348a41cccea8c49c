"""The plans that a run has followed, and what follows from them together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from planner.apply.course import Course, Place, place_of
from planner.apply.moveset import MoveSet
from planner.apply.outside import Outside
from planner.apply.steps import Target
from planner.apply.tail import images_of, tail_request


@dataclass(frozen=True)
class Following:
    """A plan that is being carried out, and what follows from it and those before it.

    Attributes:
        course: the plan.
        before: the plan that the run followed before; None when it is the first.
    """

    course: Course
    before: "Following | None" = None

    @property
    def first(self) -> Course:
        """The plan that the run began with."""
        return self.before.first if self.before else self.course

    @cached_property
    def images(self) -> Mapping[Place, Mapping[str, str]]:
        """Image by container of every workload that a plan of the run has moved or is to move.

        Any of them may be held, also those that the present plan does not move: they are at their
        target, or a rule keeps them where they are.
        """
        images = (
            {place: dict(its) for place, its in self.before.images.items()} if self.before else {}
        )
        for place, its in images_of(self.course).items():
            images.setdefault(place, {}).update(its)
        return images

    @cached_property
    def behind(self) -> Mapping[Place, int]:
        """Pods that by the first plan to move a workload still differ when it is done."""
        own = self.course.behind()
        mine = {place: own.get(place, 0) for place in self.images}
        return {**mine, **self.before.behind} if self.before else mine

    @cached_property
    def moves(self) -> Mapping[Place, int]:
        """Moves of every workload, by the plan of the run that has the most."""
        own = dict(zip(self.course.places, self.course.left(0), strict=True))
        before = self.before.moves if self.before else {}
        return {it: max(own.get(it, 0), before.get(it, 0)) for it in {**own, **before}}

    def by_place(self, moves: Mapping[str, MoveSet]) -> Mapping[Place, int]:
        """Count moves by workload, given those of each plan of the run."""
        counts = Counter(self.before.by_place(moves)) if self.before else Counter()
        for number in moves.get(self.course.id, ()):
            counts[place_of(self.course.move(number))] += 1
        return counts

    @cached_property
    def clusters(self) -> frozenset[str]:
        """Clusters in which a plan of the run moves something."""
        before = self.before.clusters if self.before else frozenset()
        return before | self.course.moving

    @cached_property
    def target(self) -> Target:
        """What the request wants of sidecars."""
        return Target.of(self.course.request)

    @cached_property
    def sidecar_sets(self) -> list[Place]:
        """SidecarSets that the run changes, on every cluster of it."""
        names = self.target.sidecars
        return [Place(it, "", "SidecarSet", name) for it in sorted(self.clusters) for name in names]

    @cached_property
    def request(self) -> bytes:
        """What checkpoints compare with: the request, workload by workload."""
        return msgspec.json.encode(tail_request(self.course, self.images, 0), order="sorted")


def following(outside: Outside, plans: Sequence[str]) -> Following:
    """Read the plans that a run has followed, the first one first."""
    first, *others = (Course(outside.load(plan)) for plan in plans)
    following = Following(first)
    for course in others:
        following = Following(course, before=following)
    return following
