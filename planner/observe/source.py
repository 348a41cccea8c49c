"""A piece of recorded input, ready for the core, that still knows where it came from."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from planner.errors import InputError

Form = Literal["list", "watch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """From this offset of the JSON text on, it says what `line` of the YAML text says.

    `line` and `document` count from 1, `offset` from 0.
    """

    offset: int
    line: int
    document: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """JSON from one place: one value (`list`), or one watch event a line (`watch`).

    `name` is the file, with the archive before a colon. `shift` added to an offset in `text`
    is the offset in the file when unpacked. Text that was YAML has `marks` instead, ascending.
    """

    name: str
    text: bytes
    form: Form
    shift: int = 0
    marks: tuple[Mark, ...] = ()

    def locate(self, offset: int) -> str:
        """Say where in the file the byte at `offset` of `text` comes from."""
        if not self.marks:
            return f"byte {max(0, offset + self.shift)}"
        mark = self._mark(offset)
        return f"line {mark.line} (document {mark.document})"

    def relocated(self, error: InputError) -> InputError:
        """Return an error about `text` as one about the file, which is what people can look at."""
        if error.offset is None:
            return InputError(self.name, None, error.message)
        if not self.marks:
            return InputError(self.name, max(0, error.offset + self.shift), error.message)
        return InputError(self.name, None, f"{self.locate(error.offset)}: {error.message}")

    def _mark(self, offset: int) -> Mark:
        after = bisect_right(self.marks, offset, key=lambda mark: mark.offset)
        return self.marks[max(0, after - 1)]
