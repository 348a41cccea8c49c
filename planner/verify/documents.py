"""Documents of observed objects, each read from its text when somebody asks for it.

A large fleet has a hundred thousand. Most rules look at a few fields of one resource each, so that
values of them all, which take several times what their texts do, are never there at once.
"""

from __future__ import annotations

from collections.abc import Mapping, ValuesView
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from planner.verify.held import HELD, as_its_owner_wrote_it

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planner.verify.columns import Ints, Texts
    from planner.verify.uids import Uids

_T = TypeVar("_T")
_whole = msgspec.json.Decoder()


class Documents(Mapping[str, Mapping[str, Any]]):
    """Those of one resource of one cluster by uid. Each time that one is asked for it is new."""

    def __init__(self, uids: Uids, parts: Sequence[Texts], rows: Ints) -> None:
        """`parts` are texts, one part after the other; `rows` those of each uid."""
        self._uids = uids
        ends = np.cumsum([len(each) for each in parts])
        part = np.searchsorted(ends, rows, side="right")
        begins, stops = (
            np.concatenate([np.zeros(0, np.int64), *each])[rows]
            for each in ([it.begins for it in parts], [it.ends for it in parts])
        )
        self._raw = [memoryview(each.raw) for each in parts]
        self._spans = list(zip(part.tolist(), begins.tolist(), stops.tolist(), strict=True))
        self.any_held = any(map(_speaks_of_held, parts))

    def __getitem__(self, uid: str) -> Mapping[str, Any]:
        part, begin, end = self._spans[self._places[uid]]
        return as_its_owner_wrote_it(_whole.decode(self._raw[part][begin:end]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._uids)

    def __len__(self) -> int:
        return len(self._uids)

    def values(self) -> ValuesView[Mapping[str, Any]]:
        """All of them, in order."""
        return _Values(self)

    def texts(self) -> Iterator[memoryview]:
        """The text of each."""
        raw = self._raw
        return (raw[part][begin:end] for part, begin, end in self._spans)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {uid: place for place, uid in enumerate(self._uids)}


def _speaks_of_held(texts: Texts) -> bool:
    """Whether a run may hold one of these, which lie near each other in what many share."""
    if not len(texts):
        return False
    return texts.raw.find(HELD.encode(), int(texts.begins.min()), int(texts.ends.max())) >= 0


class _Values(ValuesView[Mapping[str, Any]]):
    def __init__(self, documents: Documents) -> None:
        super().__init__(documents)
        self._texts = documents.texts

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return map(as_its_owner_wrote_it, map(_whole.decode, self._texts()))


def read(
    documents: Mapping[str, Mapping[str, Any]], decoder: msgspec.json.Decoder[_T]
) -> Iterator[_T]:
    """All of them, in order, by a decoder that may leave out what is not asked for."""
    if isinstance(documents, Documents) and not documents.any_held:
        return map(decoder.decode, documents.texts())
    return (decoder.decode(msgspec.json.encode(each)) for each in documents.values())
