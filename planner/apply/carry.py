"""Carries out the steps of a wave on one cluster: levers in the order in which they are safe."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from planner.apply.course import Place
from planner.apply.levers import deployment, partition, selected, template
from planner.apply.levers.held import (
    HELD,
    Object,
    annotations_of,
    is_paused,
    owners,
    released,
)
from planner.apply.naming import Run, name_nodes, name_pod
from planner.apply.steps import Going, Step, held_up, without
from planner.apply.writer import Writer, Written
from planner.errors import DriftError, RunError

COUNTED_S: Final = 10.0
"""How long a controller may take to count pods that are there."""
SCALED: Final = "it was scaled meanwhile"
"""Why moves wait whose numbers were counted for other replicas."""


class _ScaledError(Exception):
    """A workload has other replicas than a step was made for: look again and count anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the workloads and SidecarSets of one cluster are to become.

    Attributes:
        images: image by container of each workload.
        manifests: whole manifests, as people wrote them.
        sidecars: image by container of each SidecarSet.
    """

    images: Mapping[Place, Mapping[str, str]]
    manifests: Mapping[Place, Object] = field(default_factory=dict)
    sidecars: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, place: Place, live: Object) -> Object:
        """Give a workload its new template."""
        manifest = self.manifests.get(place)
        laid = template.with_manifest(live, manifest) if manifest is not None else live
        return template.with_images(laid, self.images.get(place, {}))


def carry_out(steps: Iterable[Step], writer: Writer, wanted: Wanted, run: Run) -> dict[int, str]:
    """Carry steps out on their cluster; gives the moves that were refused for now, and why.

    Pods are named before any lever lets go, and removed right after the workload has its new
    template: a controller that may change them in place has little time to do that first. Sidecars
    are let go before applications, and wait for them.

    Raises:
        DriftError: a workload is gone or changed by somebody else.
        RunError: the server refuses what is wanted, or warns of it.
        ClusterError: the API server is away for too long.
    """
    named, refused = _named(steps, writer, run)
    named, waiting = _checked(named, writer, wanted)
    refused |= waiting
    _let_sidecars_go(named, writer, wanted, run)
    for step in named:
        if step.application:
            refused |= _let_go(step, writer, wanted, run)
        refused |= _removed(step, writer, refused)
    return refused


def try_out(steps: Iterable[Step], writer: Writer, wanted: Wanted, run: Run) -> set[int]:
    """Try every write of steps on their cluster, which keeps none; gives moves refused for now.

    What a budget refuses a pod now holds up none of its later writes, and no lever, for all of
    them are to be tried. Levers are pulled as far as was counted, whoever scaled a workload since.

    Raises:
        DriftError: a workload is gone, paused, or changed by somebody else.
        RunError: the server refuses what is wanted, or warns of it.
        ClusterError: the API server is away for too long.
    """
    counted = [replace(step, replicas=None) for step in steps]
    named = {
        each.number: name_pod(step, each, writer, run) for step in counted for each in step.moves
    }
    refused = {number for number, it in named.items() if it.outcome == "refused"}
    _let_sidecars_go(counted, writer, wanted, run)
    for step in counted:
        if step.application:
            _let_go(step, writer, wanted, run)
            rest(step.place, writer)
        refused |= _removed(step, writer, ()).keys()
    return refused


def _let_sidecars_go(steps: Sequence[Step], writer: Writer, wanted: Wanted, run: Run) -> None:
    """Pull the levers of the SidecarSets of steps, each once."""
    sets = [(step, (*step.sidecar_sets, *step.new_sidecars)) for step in steps]
    for name in dict.fromkeys(chain.from_iterable(its for _, its in sets)):
        leaving = {each for step, its in sets if name in its for each in step.leaving}
        in_place = any(name in step.sidecar_sets for step in steps)
        lever = sidecar_lever(name, wanted, run, leaving, in_place=in_place)
        writer.pull("SidecarSet", "", name, lever)


def _removed(step: Step, writer: Writer, refused: Collection[int]) -> dict[int, str]:
    """Remove the pods of a step that somebody has to remove; gives what is refused, and why."""
    going = (each for each in step.moves if each.number not in refused)
    removed = {each.number: remove_pod(step, each, writer) for each in going}
    return {number: it.why for number, it in removed.items() if it.outcome == "refused"}


def _checked(
    steps: Iterable[Step], writer: Writer, wanted: Wanted
) -> tuple[list[Step], dict[int, str]]:
    """Check what controllers count; gives the steps that go, and why the moves of others wait."""
    going: list[Step] = []
    waiting: dict[int, str] = {}
    for step in steps:
        try:
            if step.application:
                settle_deployment(step, writer, wanted)
                check_template(step, writer, wanted)
            going.append(step)
        except _ScaledError:
            waiting |= _waiting(step)
    return going, waiting


def _let_go(step: Step, writer: Writer, wanted: Wanted, run: Run) -> dict[int, str]:
    """Pull the lever of a workload; gives the moves that wait, and why."""
    place, lever = step.place, workload_lever(step, wanted, run)
    try:
        writer.pull(place.kind, place.namespace, place.name, lever)
    except _ScaledError:
        return _waiting(step)
    name_nodes(step, writer, run)
    return {}


def _waiting(step: Step) -> dict[int, str]:
    return {each.number: SCALED for each in step.moves}


def _named(steps: Iterable[Step], writer: Writer, run: Run) -> tuple[list[Step], dict[int, str]]:
    """Name the pods; gives the steps with those that have one, and why the others cannot go."""
    named: list[Step] = []
    refused: dict[int, str] = {}
    fewer: dict[Place, int] = {}
    for step in steps:
        unnamed = _name_pods(step, writer, run)
        refused |= unnamed
        if not step.moves or len(unnamed) < len(step.moves):
            named.append(without(step, unnamed, fewer.get(step.place, 0)))
        if step.application:
            fewer[step.place] = fewer.get(step.place, 0) + len(unnamed)
    return named, refused


def _name_pods(step: Step, writer: Writer, run: Run) -> dict[int, str]:
    """Name the pods of a step; gives the moves that cannot go now, for their pods have no name.

    Their controller would take another one in the place of such a pod.
    """
    written = {each.number: name_pod(step, each, writer, run) for each in step.moves}
    unnamed = {
        number: it.why or "its pod is gone"
        for number, it in written.items()
        if it.outcome != "done"
    }
    return {**held_up(step, unnamed), **unnamed}


def sidecar_lever(
    name: str, wanted: Wanted, run: Run, leaving: Collection[str] = (), *, in_place: bool = True
) -> Callable[[Object], Object]:
    """The lever of a SidecarSet; it passes over pods at a revision that they are about to leave.

    One that its owner paused changes no pod `in_place`; new ones get what it says all the same.
    """
    images = wanted.sidecars.get(name, {})

    def lever(live: Object) -> Object:
        if in_place:
            _check_not_paused(live)
        names = {"run": run.id, "wave": run.label, "label": run.sidecars_label}
        held = selected.by_pods(live, **names, leaving=leaving)
        return template.sidecars_with_images(held, images)

    return lever


def workload_lever(step: Step, wanted: Wanted, run: Run) -> Callable[[Object], Object]:
    """The lever of a workload, with its new template in the same write."""

    def lever(live: Object) -> Object:
        _check_not_paused(live)
        laid = wanted.of(step.place, live)
        if _is_scaled(step, laid):
            raise _ScaledError
        return _held(step, laid, run)

    return lever


def _is_scaled(step: Step, laid: Object) -> bool:
    """Whether somebody scaled a Deployment since a step was made for it.

    Its controller scales old and new pods alike, so of the new ones that the step's number counts
    some may go, and as many more old ones would.
    """
    return step.replicas is not None and laid["spec"].get("replicas", 1) != step.replicas


def _check_not_paused(live: Object) -> None:
    """Let nothing go that its owner paused since the plan was made.

    Raises:
        DriftError: it is paused.
    """
    if is_paused(live):
        name = "/".join(filter(None, (live["metadata"].get("namespace"), live["metadata"]["name"])))
        raise DriftError(
            f"{live['kind']} {name} is paused by its owner: resume it, and the run goes on"
        )


def _held(step: Step, live: Object, run: Run) -> Object:
    update = owners(live)["spec"].get("updateStrategy") or {}
    if update.get("type") == "OnDelete" or step.kind == "roll":
        return live
    match step.place.kind:
        case "Deployment":
            held = deployment.let_go(live, new=step.value, surge=step.surge)
        case "CloneSet":
            held = partition.keep(live, old=step.value, label=run.label)
        case "AdvancedStatefulSet" if partition.is_unordered(owners(live)):
            held = partition.keep_unordered(live, old=step.value, label=run.label)
        case "StatefulSet" | "AdvancedStatefulSet":
            held = partition.from_ordinal(live, lowest=step.value, run=run.id)
        case "AdvancedDaemonSet":
            held = selected.by_nodes(live, run=run.id)
        case _:
            held = selected.on_delete(live)
    return held


def settle_deployment(step: Step, writer: Writer, wanted: Wanted) -> None:
    """Wait until no pod of the new version counts as available, where there are some already.

    Otherwise the controller would take as many old ones away, besides those that we let go.
    """
    place = step.place
    if place.kind != "Deployment" or step.value <= len(step.moves):
        return

    def lever(live: Object) -> Object:
        _check_not_paused(live)
        return deployment.stand_still(wanted.of(place, live))

    live = writer.read(place.kind, place.namespace, place.name)
    if live is None or deployment.is_still(live, wanted.of(place, live)):
        return
    writer.pull(place.kind, place.namespace, place.name, lever)
    if not writer.wait_until(place.kind, place.namespace, place.name, deployment.has_settled):
        raise RunError(f"{place}: its controller does not answer")


def check_template(step: Step, writer: Writer, wanted: Wanted) -> None:
    """Check that a controller which counts pods counts those at the target as new.

    It goes by the whole template where we go by what is wanted of it. Where somebody changed
    the template since, a number that we give would let as many more pods go as there are new ones.

    Raises:
        DriftError: it does not.
        _ScaledError: it does not, and has fewer pods than there were.
    """
    place = step.place
    if place.kind not in _COUNTING or not step.new:
        return

    def counts(live: Object) -> bool:
        laid = wanted.of(place, live)
        if live["spec"]["template"] != laid["spec"]["template"] or _is_scaled(step, laid):
            # Its template is ours to change, and it counts anew; or nothing of it is let go.
            return True
        status = live.get("status") or {}
        seen = status.get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
        return bool(seen and status.get("updatedReplicas", 0) >= step.new)

    if writer.wait_until(place.kind, place.namespace, place.name, counts, for_s=COUNTED_S):
        return
    live = writer.read(place.kind, place.namespace, place.name) or {}
    if step.replicas is not None and (live.get("status") or {}).get("replicas", 0) < step.pods:
        raise _ScaledError
    raise DriftError(
        f"{place}: {step.new} pods run what is wanted, but not all of them are of its present "
        "template; undo what was changed there, and the run goes on"
    )


_COUNTING: Final = ("Deployment", "CloneSet")


def rest(place: Place, writer: Writer) -> None:
    """Let a workload that was let go stand still, whatever its owner does to its template."""
    if place.kind != "Deployment":
        return
    live = writer.read(place.kind, place.namespace, place.name)
    if live is not None and (HELD in annotations_of(live) or writer.is_dry_run):
        writer.pull(place.kind, place.namespace, place.name, deployment.stand_still)


def remove_pod(step: Step, each: Going, writer: Writer) -> Written:
    """Remove a pod that its controller waits for somebody to remove."""
    kind, native = each.move.kind, step.place.kind == "DaemonSet"
    evicts = kind == "evict"
    if not (evicts or kind == "delete" or (native and kind == "recreate")):
        return Written("done")
    return writer.remove(each.pod.namespace, each.name, each.uid, evict=evicts)


def release(place: Place, writer: Writer) -> None:
    """Give a workload back to its owner, and take our labels from the nodes."""
    live = writer.read(place.kind, place.namespace, place.name)
    if live is None:
        return
    writer.pull(place.kind, place.namespace, place.name, released, marked=False)
    if place.kind == "AdvancedDaemonSet":
        label = selected.node_label(live)
        for node in writer.nodes_with(label):
            writer.label_node(node, label, None)
