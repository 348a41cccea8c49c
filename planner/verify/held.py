"""Objects that a run of a plan holds, as their owners wrote them."""

import json
from collections.abc import Mapping
from typing import Any, Final

HELD: Final = "fleet-upgrade-planner/held"
"""Annotation: fields of the spec as they were before the run, null where there was nothing."""
_WROTE: Final = "fleet-upgrade-planner/wrote"
"""Annotation: the same fields as the run wrote them."""


def as_its_owner_wrote_it(document: dict[str, Any]) -> dict[str, Any]:
    """Read the fields that a run holds as they were before it, with what was written since."""
    annotations = document.get("metadata", {}).get("annotations") or {}
    if HELD not in annotations:
        return document
    live, wrote = document["spec"], json.loads(annotations.get(_WROTE, "{}"))
    spec = dict(live)
    for field, before in json.loads(annotations[HELD]).items():
        known = field in wrote
        spec[field] = _changed(before, wrote[field], live.get(field)) if known else before
    return {**document, "spec": {key: it for key, it in spec.items() if it is not None}}


def _changed(before: Any, wrote: Any, live: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Carry over to what was before what is not as the run wrote it.

    What the run took away and is there again is a default of the server.
    """
    if wrote == live:
        return before
    if not (isinstance(wrote, Mapping) and isinstance(live, Mapping)):
        return live
    first = dict(before) if isinstance(before, Mapping) else {}
    gone = wrote.keys() - live.keys()
    new = {key: live[key] for key in live.keys() - wrote.keys() - first.keys()}
    other = {
        key: _changed(first.get(key), wrote[key], live[key])
        for key in wrote.keys() & live.keys()
        if wrote[key] != live[key]
    }
    return {key: it for key, it in first.items() if key not in gone} | new | other
