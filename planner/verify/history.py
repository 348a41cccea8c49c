"""Templates that workloads had before, as ReplicaSets and ControllerRevisions keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import Decoder, decode

from planner.verify.documents import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.verify.observed import Observed

    Text = Raw | Mapping[str, Any]
    """A template, or the text of one."""


class Templates(Mapping[str, Mapping[str, Any]]):
    """Templates by the hash in the name of their revision, each read when somebody asks for it."""

    def __init__(self, texts: Mapping[str, Text]) -> None:
        self._texts = texts

    def __getitem__(self, revision: str) -> Mapping[str, Any]:
        text = self._texts[revision]
        template: Mapping[str, Any] = decode(text) if isinstance(text, Raw) else text
        return template

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What objects that controllers make for workloads tell of them."""

    deployment_of: Mapping[tuple[str, str], str]
    """Uid of its controller by cluster and uid of ReplicaSet."""
    templates: Mapping[str, Mapping[str, Mapping[str, Raw]]]
    """By cluster, uid of workload and hash in the name of the revision."""


class _Owner(Struct):
    """Who an object belongs to, as its own metadata says."""

    uid: str = ""
    controller: bool | None = None


class _Metadata(Struct, rename="camel"):
    name: str = ""
    owner_references: Sequence[_Owner] | None = None


class _Templated(Struct):
    template: Raw | UnsetType = UNSET


class _Data(Struct):
    spec: _Templated | None = None


class _Revision(Struct):
    """Of a ControllerRevision or a ReplicaSet whose it is, and the text of its template."""

    metadata: _Metadata
    spec: _Templated | None = None
    data: _Data | UnsetType = UNSET

    @property
    def owner(self) -> str | None:
        """The uid of its controller."""
        owners = self.metadata.owner_references or ()
        return next((each.uid for each in owners if each.controller), None)

    @property
    def template(self) -> Raw | UnsetType:
        """The template that it keeps."""
        spec = self.spec if self.data is UNSET else self.data.spec
        return UNSET if spec is None else spec.template


_revision = Decoder(_Revision)


def read_history(observed: Observed) -> History:
    """What is told of all workloads."""
    deployment_of: dict[tuple[str, str], str] = {}
    templates: dict[str, dict[str, dict[str, Raw]]] = {}
    for cluster in observed.clusters:
        of = templates.setdefault(cluster, {})
        for resource in ("controllerrevisions", "replicasets"):
            documents = observed.objects.get((cluster, resource), {})
            for uid, each in zip(documents, read(documents, _revision), strict=True):
                owner, template = each.owner, each.template
                if owner is None:
                    continue
                if resource == "replicasets":
                    deployment_of[cluster, uid] = owner
                if template is not UNSET:
                    of.setdefault(owner, {})[each.metadata.name.rpartition("-")[2]] = template
    return History(deployment_of=deployment_of, templates=templates)
