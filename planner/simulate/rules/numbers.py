"""Counts and percentages, each field with the rounding of its own controller."""

from typing import Final

IntOrPercent = int | str

ALL: Final = "100%"


def rounded_up(value: IntOrPercent | None, total: int, *, default: IntOrPercent) -> int:
    """Resolve a count or a percentage of `total`, rounded up.

    Source: apimachinery pkg/util/intstr/intstr.go, GetScaledValueFromIntOrPercent.
    """
    count, percent = _parts(default if value is None else value)
    return count if percent is None else -(-percent * total // 100)


def rounded_down(value: IntOrPercent | None, total: int, *, default: IntOrPercent) -> int:
    """Resolve a count or a percentage of `total`, rounded down.

    Source: apimachinery pkg/util/intstr/intstr.go, GetScaledValueFromIntOrPercent.
    """
    count, percent = _parts(default if value is None else value)
    return count if percent is None else percent * total // 100


def kept_old(partition: IntOrPercent | None, total: int) -> int:
    """Resolve a partition that counts pods which stay old.

    A percentage below 100 % always lets one of several pods go.
    Source: openkruise/kruise pkg/util/tools.go, CalculatePartitionReplicas.
    """
    kept = max(0, min(total, rounded_up(partition, total, default=0)))
    below_all = isinstance(partition, str) and partition != ALL
    return total - 1 if below_all and kept == total and total > 1 else kept


def _parts(value: IntOrPercent) -> tuple[int, int | None]:
    if isinstance(value, int):
        return value, None
    # A text without its sign is a percentage, too, for the resolver that OpenKruise calls.
    return 0, int(value.removesuffix("%"))
