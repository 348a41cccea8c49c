"""What every part of a request is made of."""

from typing import Annotated

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Value(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename="camel",
):
    """A part of a request: immutable, and without room for keys that nobody knows.

    It is written without what is the default anyway.
    """
