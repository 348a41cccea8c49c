"""Says in a line of each entry of gangs how many move, and how large they are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def gang_lines(gangs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Give for example `inference groups: 12 gangs of up to 8 pods, each in one wave`.

    Args:
        gangs: the `gangs` of a plan's header.
    """
    for each in gangs:
        count = f"{each['gangs']:,} gang" + "s" * (each["gangs"] != 1)
        most = f"{each['largest']:,} pod" + "s" * (each["largest"] != 1)
        moved = f"{count} of up to {most}, each in one wave" if each["gangs"] else "nothing moves"
        yield f"{each['name']}: {moved}"
