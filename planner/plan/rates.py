"""Rates of a request that another one of it always keeps below its own."""

from collections.abc import Iterator, Sequence

from planner.model.policy import Rate


def idle_rates(rates: Sequence[Rate]) -> Iterator[tuple[Rate, Rate]]:
    """Give each rate that never holds anything up, with the one that is at least as slow.

    Of two that say the same the first counts.
    """
    for index, rate in enumerate(rates):
        for other_index, other in enumerate(rates):
            is_other = other_index != index and _is_within(rate, other)
            if is_other and (_per_s(other), other_index) < (_per_s(rate), index):
                yield rate, other
                break


def _is_within(rate: Rate, other: Rate) -> bool:
    """Whether whatever goes by a rate goes by the other, too."""
    return rate.registry == other.registry and other.cluster in (None, rate.cluster)


def _per_s(rate: Rate) -> int:
    return rate.writes_per_second or rate.pulls_per_second or 0
