"""Tables of Arrow read into columns.

They are taken from whoever hands them over
(https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html); only the types that
logs and plans have are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import nanoarrow
import numpy as np

from planner.verify.columns import Coded, Texts
from planner.verify.uids import Uids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nanoarrow.c_array import CArrayView

    from planner.verify.columns import Bools, Ints


class HandsOver(Protocol):
    """Whatever hands a table over as Arrow."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Give capsules of the schema and of the columns."""


def read_table(table: HandsOver) -> dict[str, Any]:
    """The columns of a table of Arrow by their names.

    Numbers become arrays, in which 0 stands for no value; texts become `Texts`, in which the
    empty one does; texts of a dictionary become `Coded`, in which None does; 16 bytes each become
    `Uids`, in which those of nothing do.

    Raises:
        TypeError: a column is of a type that logs and plans do not have.
    """
    array = nanoarrow.c_array(table)
    columns = array.view().children
    return {array.schema.child(at).name: _read(each) for at, each in enumerate(columns)}


def _read(column: CArrayView) -> Any:  # noqa: ANN401 -- one of the columns above
    rows = slice(column.offset, column.offset + column.length)
    valid, kind = _valid(column, rows), column.storage_type
    values = np.asarray(column.buffer(1))
    if column.dictionary is not None:
        return _coded(values[rows].astype(np.int64), _read(column.dictionary), valid)
    if kind == "fixed_size_binary":
        return Uids.of_bytes(values.view(np.uint8).reshape(-1, _UID_BYTES)[rows])
    if kind == "string":
        offsets = values[rows.start : rows.stop + 1].astype(np.int64)
        return Texts(bytes(column.buffer(2)), offsets[:-1], offsets[1:])
    if values.dtype.kind not in "iu":
        raise TypeError(f"a column of Arrow's type {kind}")
    numbers = values[rows].astype(np.int64)
    return numbers if valid is None else np.where(valid, numbers, 0)


def _coded(codes: Ints, texts: Texts, valid: Bools | None) -> Coded[Any]:
    if len(texts) > len(codes):  # a slice of a table has the texts of all of it
        used, codes = np.unique(codes, return_inverse=True)
        texts = Texts.of(texts[code] for code in used.tolist())
    if valid is None or valid.all():
        return Coded(codes, texts)
    return Coded(np.where(valid, codes, len(texts)), _OrNone(texts))


class _OrNone(Sequence[Any]):
    """Texts, and None after the last of them."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts) + 1

    def __iter__(self) -> Iterator[Any]:
        return chain(self._texts, (None,))

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401
        return None if index == len(self._texts) else self._texts[index]


def _valid(column: CArrayView, rows: slice) -> Bools | None:
    """Which rows have a value; None: all of them."""
    bits = np.asarray(column.buffer(0))
    if column.null_count == 0 or not len(bits):
        return None
    return np.unpackbits(bits, bitorder="little")[rows].astype(np.bool_)


_UID_BYTES = 16
