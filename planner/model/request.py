"""The upgrade request: what a person writes, checked once where it enters."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from planner.errors import InputError, RequestError
from planner.model import check, check_times
from planner.model.documents import Document, read_documents
from planner.model.manifests import ReadManifest, inlined
from planner.model.plain_json import read_json
from planner.model.policy import Budget, Dependency, Exclusion, Gang, Rate, Sequence, Stage
from planner.model.strict import struct_from, trouble
from planner.model.target import Target
from planner.model.times import Moment, TimeRule
from planner.model.value import Text, Value

_LINES_DEPTH = 8


class Metadata(Value, frozen=True, kw_only=True):
    """What people call the request."""

    name: Text


class Spec(Value, frozen=True, kw_only=True):
    """The target, and the policy by which it is to be reached.

    The first wave begins at `start`, but not before the last event that the plan knows.
    Workloads move only inside every window that names them, and outside every freeze. When
    `streaming`, a move begins as soon as its own rules allow, whatever wave others are in.
    """

    target: Target
    streaming: bool = False
    start: Moment | None = None
    deadline: Moment | None = None
    windows: tuple[TimeRule, ...] = ()
    freezes: tuple[TimeRule, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    gangs: tuple[Gang, ...] = ()
    budgets: tuple[Budget, ...] = ()
    rates: tuple[Rate, ...] = ()
    stages: tuple[Stage, ...] = ()
    exclude: tuple[Exclusion, ...] = ()


class UpgradeRequest(Value, frozen=True, kw_only=True):
    """A target and a policy; as `planner/v1` describes them."""

    api_version: Literal["planner/v1"]
    kind: Literal["UpgradeRequest"]
    metadata: Metadata
    spec: Spec


def load_request(text: bytes, source: str, read_manifest: ReadManifest) -> UpgradeRequest:
    """Read a request in YAML or JSON, with the manifests that it names.

    Args:
        text: the content of the request file.
        source: what errors call it.
        read_manifest: takes a pattern relative to the request and gives (name, content) of each
            matching file, in an order that does not change.

    Raises:
        RequestError: the first thing that is wrong, with file, line, path and remedy.
    """
    try:
        document = Document(value=read_json(text), index=1, line=1, lines={})
        return _request(document, source, read_manifest)
    except (ValueError, RequestError):
        # It is YAML, or something is wrong with it and has to be named with its line.
        return _request(_only_document(text, source), source, read_manifest)


def _request(document: Document, source: str, read_manifest: ReadManifest) -> UpgradeRequest:
    raw = document.value
    manifests = _manifests_of(raw)
    if manifests is not None:
        raw["spec"]["target"]["manifests"] = inlined(
            manifests, source, document.lines, read_manifest
        )
    request = struct_from(raw, UpgradeRequest, source, document.lines)
    for path, problem in _problems(request):
        raise trouble(source, document.lines, ("spec", *path), problem)
    return request


def canonical_json(request: UpgradeRequest) -> bytes:
    """Write a request the same way however it was written: keys in order, defaults left out."""
    return msgspec.json.encode(request, order="sorted")


def _only_document(text: bytes, source: str) -> Document:
    try:
        found = list(read_documents(text, source, lines_depth=_LINES_DEPTH))
    except InputError as error:
        at = "" if error.offset is None else f"byte {error.offset}"
        raise RequestError(source, at, error.message) from error
    documents = [document for document in found if document.value is not None]
    if len(documents) != 1:
        raise RequestError(source, "", f"has {len(documents)} documents; write one request a file")
    return documents[0]


def _manifests_of(raw: Any) -> list[Any] | None:  # noqa: ANN401 -- any JSON
    """The manifests as written; None when there are none or the shape is wrong anyway."""
    for key in ("spec", "target", "manifests"):
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw if isinstance(raw, list) else None


def _problems(request: UpgradeRequest) -> Iterator[check.Problem]:
    spec = request.spec
    yield from check.target_problems(spec.target, ("target",))
    for index, dependency in enumerate(spec.dependencies):
        yield from check.dependency_problems(dependency, ("dependencies", index))
    yield from check.names_problems([each.name for each in spec.sequences], ("sequences",))
    for index, sequence in enumerate(spec.sequences):
        yield from check.sequence_problems(sequence, ("sequences", index))
    yield from check.gangs_problems(spec.gangs, ("gangs",), streaming=spec.streaming)
    yield from check.names_problems([budget.name for budget in spec.budgets], ("budgets",))
    for index, budget in enumerate(spec.budgets):
        here = ("budgets", index)
        yield from check.share_problems(budget.max_unavailable, (*here, "maxUnavailable"))
        yield from check.selector_problems(budget.selector, (*here, "selector"))
    yield from check.names_problems([rate.name for rate in spec.rates], ("rates",))
    for index, rate in enumerate(spec.rates):
        yield from check.rate_problems(rate, ("rates", index))
    yield from check.names_problems([stage.name for stage in spec.stages], ("stages",))
    yield from check.stages_problems(spec.stages, ("stages",))
    for index, exclusion in enumerate(spec.exclude):
        yield from check.exclusion_problems(exclusion, ("exclude", index))
    yield from _times_problems(spec)


def _times_problems(spec: Spec) -> Iterator[check.Problem]:
    found = [*check_times.moment_problems(spec.start, ("start",))]
    found += check_times.moment_problems(spec.deadline, ("deadline",))
    yield from found or check_times.order_problems(spec.start, spec.deadline)
    for key, rules in (("windows", spec.windows), ("freezes", spec.freezes)):
        yield from check.names_problems([rule.name for rule in rules], (key,))
        yield from check_times.rules_problems(rules, (key,))
