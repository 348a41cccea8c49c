"""The whole workloads that a request wants, written in files of their own."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from planner.errors import InputError, RequestError
from planner.model.documents import Path, read_documents
from planner.model.strict import trouble

# Takes a pattern relative to the request; gives the name and content of each file, in order.
ReadManifest = Callable[[str], Iterable[tuple[str, bytes]]]

_KINDS: Final = {
    "apps": ("Deployment", "StatefulSet", "DaemonSet"),
    "apps.kruise.io": ("CloneSet", "StatefulSet", "DaemonSet", "SidecarSet"),
}
_KNOWN: Final = ", ".join(f"{kind} ({group})" for group, kinds in _KINDS.items() for kind in kinds)


def inlined(
    entries: list[Any], source: str, lines: Mapping[Path, int], read_manifest: ReadManifest
) -> list[Any]:
    """Replace each pattern by the workloads in its files; what is no pattern stays.

    Raises:
        RequestError: a pattern that matches nothing, a file that is not readable as YAML, something
            that is no workload, or a workload that is there twice.
    """
    found: list[Any] = []
    places: dict[tuple[str, ...], str] = {}
    for index, entry in enumerate(entries):
        path: Path = ("spec", "target", "manifests", index)
        for place, document in _documents(entry, source, lines, path, read_manifest):
            problem = _problem(document)
            key = () if problem else _key(document)
            if key in places:
                problem = f"is already in {places[key]}; leave one out"
            if problem:
                raise trouble(source, lines, path, f"{place}: {problem}")
            places[key] = place
            found.append(document)
    return found


def _documents(
    entry: Any,  # noqa: ANN401 -- any JSON
    source: str,
    lines: Mapping[Path, int],
    path: Path,
    read_manifest: ReadManifest,
) -> Iterator[tuple[str, Any]]:
    """Yield (where it is, document) of one entry of the request."""
    if not isinstance(entry, str):
        yield "this document", entry
        return
    matched = False
    for name, text in read_manifest(entry):
        matched = True
        try:
            yield from _listed(name, text)
        except InputError as error:
            raise RequestError(error.source, "", error.message) from error
    if not matched:
        raise trouble(source, lines, path, f"no file matches {entry}")


def _listed(name: str, text: bytes) -> Iterator[tuple[str, Any]]:
    for document in read_documents(text, name, lines_depth=2):
        value = document.value
        if value is None:
            continue
        if isinstance(value, dict) and value.get("kind") == "List":
            for index, item in enumerate(value.get("items") or ()):
                yield f"{name}:{document.lines['items', index]}", item
        else:
            yield f"{name}:{document.line}", value


def _problem(document: Any) -> str | None:  # noqa: ANN401 -- any JSON
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        return "is no Kubernetes object"
    kind, group, namespace, name = _key(document)
    if kind not in _KINDS.get(group, ()):
        return f"{kind or 'an object without kind'} is no workload; known are {_KNOWN}"
    if not name:
        return "metadata.name is missing"
    if not namespace and kind != "SidecarSet":
        return "metadata.namespace is missing; a request has no default namespace"
    return None


def _key(document: dict[str, Any]) -> tuple[str, ...]:
    metadata = document["metadata"]
    group = str(document.get("apiVersion", "")).rpartition("/")[0]
    texts = (document.get("kind"), group, metadata.get("namespace"), metadata.get("name"))
    return tuple(str(text or "") for text in texts)
