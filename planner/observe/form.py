"""What a recorded text is: lists of objects or watch events, in JSON or YAML.

JSON keeps its bytes: what stands between two values is replaced byte by byte, so that offsets
stay true. YAML is written as JSON, with marks that lead back to its lines.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final, NamedTuple

import msgspec

from planner.errors import InputError
from planner.model.documents import Document, read_documents
from planner.observe.source import Form, Mark, Source

# Between two values of a JSON stream: inside a value `{` never follows `}`, and a string
# never goes over a line's end, so this finds the borders without parsing.
_BORDER: Final = re.compile(rb"\}([ \t\r]*\n\s*)\{")
# How an API server begins a list. What follows need not be read to know that it is one.
_TYPED_LIST: Final = re.compile(
    rb'\s*\{"kind":"\w+List","apiVersion":"[\w./]+","metadata":\{[^{}]*\},"items":\['
)
_BYTE: Final = re.compile(r" \(byte (\d+)\)$")
_LIST_HEAD: Final = b'{"apiVersion":"v1","kind":"List","items":'
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
# The path of `items[3]` is two long; deeper lines would cost much and help little.
_LINES_DEPTH: Final = 2


class _Shape(msgspec.Struct, frozen=True):
    """The keys that tell a watch event, a list and an object from each other."""

    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    type: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    object: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    items: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def is_event(self) -> bool:
        bare = self.type is not msgspec.UNSET and self.object is not msgspec.UNSET
        return bare or self.event is not msgspec.UNSET

    @property
    def is_list(self) -> bool:
        return self.items is not msgspec.UNSET


class _Span(NamedTuple):
    """A JSON value in a text, from `start` to before `end`."""

    start: int
    end: int


def sources_in(name: str, text: bytes) -> Iterator[Source]:
    """Yield what the text of one file holds.

    A typed list, a `List` or a lone object is a source of its own; objects one after the other
    are put into one `List`; watch events are one source.

    Raises:
        InputError: empty, not JSON or YAML, or not what the Kubernetes API gives.
    """
    if text.startswith(_UTF16_MARKS):
        raise InputError(name, 0, "is UTF-16 text; save it as UTF-8")
    shift = len(_UTF8_MARK) if text.startswith(_UTF8_MARK) else 0
    text = text[shift:]
    start = len(text) - len(text.lstrip())
    if start == len(text):
        raise InputError(name, 0, "is empty")
    if text.startswith(b"{", start):
        yield from _json_sources(name, text, shift)
    elif text.startswith(b"[", start):
        wrapped = b"".join((_LIST_HEAD, text, b"}"))
        yield Source(name=name, text=wrapped, form="list", shift=shift - len(_LIST_HEAD))
    else:
        yield from _yaml_sources(name, text, shift)


def _json_sources(name: str, text: bytes, shift: int) -> Iterator[Source]:
    if _TYPED_LIST.match(text) and b"\n" not in text.rstrip():
        yield Source(name=name, text=text, form="list", shift=shift)
        return
    borders = [match.span(1) for match in _BORDER.finditer(text)]
    starts = [0, *(end for _, end in borders)]
    ends = [*(start for start, _ in borders), len(text)]
    spans = [_Span(start, end) for start, end in zip(starts, ends, strict=True)]
    if _shape(name, text, spans[0], shift).is_event:
        yield Source(name=name, text=_one_a_line(text, spans), form="watch", shift=shift)
        return
    if len(spans) == 1:
        yield Source(name=name, text=text, form="list", shift=shift)
        return
    for is_list, group in groupby(spans, lambda span: _shape(name, text, span, shift).is_list):
        run = list(group)
        if not is_list:
            items = _with_gaps(text, run, b",")
            listed = b"".join((_LIST_HEAD, b"[", items, b"]}"))
            moved = run[0].start - len(_LIST_HEAD) - 1
            yield Source(name=name, text=listed, form="list", shift=shift + moved)
            continue
        for start, end in run:
            yield Source(name=name, text=text[start:end], form="list", shift=shift + start)


def _shape(name: str, text: bytes, span: _Span, shift: int) -> _Shape:
    try:
        return msgspec.json.decode(memoryview(text)[span.start : span.end], type=_Shape)
    except msgspec.DecodeError as error:
        # Only data that ends too early is reported without its byte.
        byte = _BYTE.search(str(error))
        offset = span.start + int(byte.group(1)) if byte else span.end
        raise InputError(name, shift + offset, _BYTE.sub("", str(error))) from error
    except (UnicodeDecodeError, RecursionError) as error:
        problem = "is nested too deep" if isinstance(error, RecursionError) else "is not UTF-8 text"
        raise InputError(name, shift + span.start, f"the value here {problem}") from error


def _one_a_line(text: bytes, spans: Sequence[_Span]) -> bytes:
    """Bring each value on a line of its own, every byte of it where it was."""
    body = text.rstrip()
    if body.count(b"\n") == len(spans) - 1:
        return body
    flat = bytearray(text.replace(b"\n", b" "))
    for span in spans[1:]:
        flat[span.start - 1] = ord("\n")
    return bytes(flat)


def _with_gaps(text: bytes, spans: Sequence[_Span], separator: bytes) -> bytes:
    """Cut the values out, with what is between them replaced by a separator of that length."""
    whole = bytearray(text[spans[0].start : spans[-1].end])
    for before, after in pairwise(spans):
        gap = after.start - before.end
        at = before.end - spans[0].start
        whole[at : at + gap] = separator.ljust(gap)
    return bytes(whole)


def _yaml_sources(name: str, text: bytes, shift: int) -> Iterator[Source]:
    try:
        found = list(read_documents(text, name, lines_depth=_LINES_DEPTH))
    except InputError as error:
        offset = None if error.offset is None else error.offset + shift
        raise InputError(name, offset, error.message) from error
    documents = [document for document in found if document.value is not None]
    if not documents:
        raise InputError(name, 0, "is empty")
    for document in documents:
        _check_object(name, document)
    for form, group in groupby(documents, _yaml_form):
        run = list(group)
        if form == "event":
            yield _marked(name, run, (b"", b"\n", b""))
        elif form == "object":
            yield _marked(name, run, (_LIST_HEAD + b"[", b",", b"]}"))
        else:
            yield from (_marked_list(name, document) for document in run)


def _check_object(name: str, document: Document) -> None:
    value = document.value
    if isinstance(value, dict) and value.keys() & {"kind", "event", "object", "gitVersion"}:
        return
    raise InputError(
        name,
        None,
        f"line {document.line}: document {document.index} is no Kubernetes object; "
        "record it with kubectl get -o json or -o yaml",
    )


def _yaml_form(document: Document) -> str:
    keys = document.value.keys()
    if "event" in keys or {"type", "object"} <= keys:
        return "event"
    return "list" if isinstance(document.value.get("items"), list) else "object"


def _marked(name: str, run: Sequence[Document], frame: tuple[bytes, bytes, bytes]) -> Source:
    """Write documents as JSON between a head, separators and a tail."""
    head, separator, tail = frame
    texts = [msgspec.json.encode(document.value) for document in run]
    marks = []
    offset = len(head)
    for document, text in zip(run, texts, strict=True):
        marks.append(Mark(offset=offset, line=document.line, document=document.index))
        offset += len(text) + len(separator)
    joined = b"".join((head, separator.join(texts), tail))
    form: Form = "list" if tail else "watch"
    return Source(name=name, text=joined, form=form, marks=tuple(marks))


def _marked_list(name: str, document: Document) -> Source:
    """Write a list as JSON, with a mark for each of its items."""
    rest = {key: value for key, value in document.value.items() if key != "items"}
    head = msgspec.json.encode(rest)[:-1] + (b"," if rest else b"") + b'"items":['
    items = document.value["items"]
    texts = [msgspec.json.encode(item) for item in items]
    marks = [Mark(offset=0, line=document.line, document=document.index)]
    offset = len(head)
    for index, text in enumerate(texts):
        line = document.lines["items", index]
        marks.append(Mark(offset=offset, line=line, document=document.index))
        offset += len(text) + 1
    joined = b"".join((head, b",".join(texts), b"]}"))
    return Source(name=name, text=joined, form="list", marks=tuple(marks))
