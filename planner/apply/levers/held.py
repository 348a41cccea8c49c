"""What a lever changed is remembered in the object itself, as its owner wrote it.

The core reads these annotations too (`planner-core`, `kube/held.rs`): levers are tools of a run and
no rules of the object's owner.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

HELD: Final = "fleet-upgrade-planner/held"
"""Annotation: the fields of the spec that a lever changed, null where there was nothing."""
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
    """Give the object with the spec as its owner wrote it."""
    text = annotations_of(thing).get(HELD)
    if text is None:
        return thing
    spec = {**thing["spec"], **json.loads(text)}
    return {**thing, "spec": {key: value for key, value in spec.items() if value is not None}}


def hold(thing: Object, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    """Set fields of the spec (None takes one away) and remember what the owner wrote there."""
    spec = owners(thing)["spec"]
    known = json.loads(annotations_of(thing).get(HELD, "{}"))
    remembered = {**{field: spec.get(field) for field in fields}, **known}
    text = json.dumps(remembered, sort_keys=True, separators=(",", ":"))
    changed = {**thing["spec"], **fields}
    kept = {field: value for field, value in changed.items() if value is not None}
    return annotated({**thing, "spec": kept}, {HELD: text})


def released(thing: Object) -> dict[str, Any]:
    """Give the object back to its owner."""
    return annotated(owners(thing), {HELD: None, RUN: None})
