"""What the parts of plans and reports have in common."""

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a plan or report: immutable, open for keys that come later."""
