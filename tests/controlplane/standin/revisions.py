"""ControllerRevisions: the history of a workload, kept in the API."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from planner.simulate.rules.actions import Revisions
from planner.simulate.rules.inplace import same_template
from planner.simulate.rules.pods import Object, labels_of, name_of
from tests.controlplane.standin.kinds import ADVANCED_DAEMON_SET, REVISION, Kind

HASH_LABEL: Final = "controller.kubernetes.io/hash"
DAEMON_HASH_LABEL: Final = "controller-revision-hash"
# What Kubernetes writes hashes with, so that no word comes out (apimachinery pkg/util/rand).
_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_LENGTH: Final = 10


def safe_hash(value: object, length: int = _LENGTH) -> str:
    """A text that follows from a JSON value, in the letters that Kubernetes takes."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    return "".join(_LETTERS[ord(each) % len(_LETTERS)] for each in digest[:length])


def revision_for(template: Object, revisions: Iterable[Object]) -> Object | None:
    """The revision of a template, None when it has none yet."""
    return next((it for it in revisions if same_template(template_of(it), template)), None)


def template_of(revision: Object) -> Mapping[str, Any]:
    """The template that a revision keeps."""
    template: Mapping[str, Any] = revision["data"]["spec"]["template"]
    return template


def hash_of(revision: Object) -> str:
    """The text after the last dash of its name."""
    return name_of(revision).rpartition("-")[2]


def new_revision(kind: Kind, workload: Object, number: int) -> dict[str, Any]:
    """The manifest of a revision of the workload's template.

    Args:
        kind: of the workload.
        workload: it.
        number: the place in its history, from 1.
    """
    template = workload["spec"]["template"]
    hash_ = safe_hash(template)
    label = DAEMON_HASH_LABEL if kind == ADVANCED_DAEMON_SET else HASH_LABEL
    return {
        "apiVersion": REVISION.api_version,
        "kind": REVISION.name,
        "metadata": {
            "namespace": workload["metadata"]["namespace"],
            "name": f"{name_of(workload)}-{hash_}",
            "labels": {**labels_of(template), label: hash_},
            "ownerReferences": [owner_reference(kind, workload)],
        },
        "data": {"spec": {"template": {**template, "$patch": "replace"}}},
        "revision": number,
    }


def owner_reference(kind: Kind, workload: Object) -> dict[str, Any]:
    """Says who controls an object."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "name": name_of(workload),
        "uid": workload["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def read_history(workload: Object, update: Object, revisions: Iterable[Object]) -> Revisions:
    """The history as the rules read it; where the workload comes from is in its status."""
    current = str((workload.get("status") or {}).get("currentRevision") or "")
    templates = {hash_of(each): template_of(each) for each in revisions}
    templates[hash_of(update)] = template_of(update)
    known = current.rpartition("-")[2]
    return Revisions(
        current=known if known in templates else hash_of(update),
        update=hash_of(update),
        templates=templates,
    )
