"""How tables look everywhere, and how numbers and times are written."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600


def plain_table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """Make a table without frames, as kubectl prints them; `right` columns hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def duration(seconds: float) -> str:
    """Write seconds as people say them: 45s, 12m 30s, 3h 05m."""
    whole = round(seconds)
    if whole < SECONDS_PER_MINUTE:
        return f"{whole}s"
    if whole < SECONDS_PER_HOUR:
        minutes, rest = divmod(whole, SECONDS_PER_MINUTE)
        return f"{minutes}m {rest:02d}s" if rest else f"{minutes}m"
    hours, rest = divmod(whole, SECONDS_PER_HOUR)
    return f"{hours}h {rest // SECONDS_PER_MINUTE:02d}m"


def counts(by_name: Mapping[str, int]) -> str:
    """Write counts by name: `90 in-place, 12 recreate`."""
    return ", ".join(f"{count:,} {name}" for name, count in by_name.items() if count) or "none"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def workload_name(workload: Mapping[str, str]) -> str:
    """Write a workload as `namespace/name`."""
    return f"{workload['namespace']}/{workload['name']}"


def warning(text: str) -> Text:
    """Write a warning."""
    return Text.assemble(("warning: ", "yellow bold"), text)
