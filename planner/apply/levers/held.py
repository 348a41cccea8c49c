"""What a lever changed is remembered in the object itself, as its owner wrote it.

The core reads these annotations too (`planner-core`, `kube/held.rs`): levers are tools of a run and
no rules of the object's owner.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

HELD: Final = "fleet-upgrade-planner/held"
"""Annotation: the fields of the spec that a lever changed, null where there was nothing."""
WROTE: Final = "fleet-upgrade-planner/wrote"
"""Annotation: the same fields as the lever wrote them. What differs there by now was written
since, by the owner."""
RUN: Final = "fleet-upgrade-planner/run"
"""Annotation: which run wrote last, and the epoch of its executor."""
WAVE_LABEL: Final = "fleet-upgrade-planner/wave"
"""Label of pods that a wave lets go: run and wave."""
SIDECARS_LABEL: Final = "fleet-upgrade-planner/sidecars"
"""Label of pods whose sidecars may change: run, wave and step. Of its own, for a pod that is to be
made anew gets its new sidecar with that."""

Object = Mapping[str, Any]


def annotations_of(thing: Object) -> Mapping[str, str]:
    """Give the annotations of an object."""
    return thing["metadata"].get("annotations") or {}


def annotated(thing: Object, annotations: Mapping[str, str | None]) -> dict[str, Any]:
    """Set annotations; None takes one away."""
    merged = {**annotations_of(thing), **annotations}
    kept = {key: text for key, text in merged.items() if text is not None}
    metadata = {key: value for key, value in thing["metadata"].items() if key != "annotations"}
    if kept:
        metadata["annotations"] = kept
    return {**thing, "metadata": metadata}


def spec_with(thing: Object, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    """Set fields of the spec."""
    return {**thing, "spec": {**thing["spec"], **fields}}


def is_held_by(thing: Object, run: str) -> bool:
    """Whether this run, and not one before it, holds the object."""
    annotations = annotations_of(thing)
    return HELD in annotations and annotations.get(RUN, "").partition("/")[0] == run


def owners(thing: Object) -> Object:
    """Give the object with the spec as its owner wrote it, before the run or since."""
    spec = {**thing["spec"], **_remembered(thing)}
    return {**thing, "spec": {key: value for key, value in spec.items() if value is not None}}


def is_paused(thing: Object) -> bool:
    """Whether its owner wants its controller to move nothing."""
    spec = owners(thing)["spec"]
    update = spec.get("updateStrategy") or {}
    places = (spec, update, update.get("rollingUpdate") or {})
    return any(place.get("paused") is True for place in places)


def hold(thing: Object, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    """Set fields of the spec (None takes one away) and remember what the owner wrote there."""
    spec = owners(thing)["spec"]
    remembered = {**{field: spec.get(field) for field in fields}, **_remembered(thing)}
    changed = {**thing["spec"], **fields}
    wrote = {field: changed.get(field) for field in remembered}
    kept = {field: value for field, value in changed.items() if value is not None}
    return annotated({**thing, "spec": kept}, {HELD: _text(remembered), WROTE: _text(wrote)})


def released(thing: Object) -> dict[str, Any]:
    """Give the object back to its owner."""
    return annotated(owners(thing), {HELD: None, WROTE: None, RUN: None})


def _remembered(thing: Object) -> dict[str, Any]:
    """What the owner wrote in the fields that a lever changed; null where there is nothing."""
    annotations, spec = annotations_of(thing), thing["spec"]
    held = json.loads(annotations.get(HELD, "{}"))
    wrote = json.loads(annotations.get(WROTE, "{}"))
    return {
        field: _since(value, wrote[field], spec.get(field)) if field in wrote else value
        for field, value in held.items()
    }


def _since(owners: Any, wrote: Any, live: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Lay what changed from what we wrote to what there is over what the owner wrote before.

    What we took away and is there again is put there by the server, which has defaults.
    """
    if live == wrote:
        return owners
    if not (isinstance(wrote, Mapping) and isinstance(live, Mapping)):
        return live
    before = owners if isinstance(owners, Mapping) else {}
    after = dict(before)
    for key in wrote.keys() | live.keys():
        if key not in live:
            after.pop(key, None)
        elif key in wrote and wrote[key] != live[key]:
            after[key] = _since(before.get(key), wrote[key], live[key])
        elif key not in wrote and key not in before:
            after[key] = live[key]
    return after


def _text(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))
