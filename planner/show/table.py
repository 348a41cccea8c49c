"""How tables look everywhere, and how numbers and times are written."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600
WRAPPED_ROWS_MAX = 1_000
WARNINGS_SHOWN = 20


def plain_table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """Make a table without frames, as kubectl prints them; `right` columns hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def tell_table(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: tuple[str, ...] = (),
) -> None:
    """Print a table; one of very many rows as lines that are not wrapped, which is far faster."""
    if len(rows) <= WRAPPED_ROWS_MAX:
        table = plain_table(*columns, right=right)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
        return
    widths = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]
    aligned = [str.rjust if column in right else str.ljust for column in columns]
    for row in (columns, *rows):
        cells = (
            align(cell, width - cell_len(cell) + len(cell))
            for align, cell, width in zip(aligned, row, widths, strict=True)
        )
        console.file.write("  ".join(cells).rstrip() + "\n")


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


def workload_name(workload: Mapping[str, Any]) -> str:
    """Write a workload as `namespace/name`."""
    return f"{workload['namespace']}/{workload['name']}"


def tell_warnings(warnings: Sequence[str], console: Console, *, everything: bool) -> None:
    """Print warnings, of many only the first unless `everything`."""
    shown = warnings if everything else warnings[:WARNINGS_SHOWN]
    for text in shown:
        console.print(Text.assemble(("warning: ", "yellow bold"), text))
    if len(warnings) > len(shown):
        console.print(f"... and {len(warnings) - len(shown):,} more warnings")
