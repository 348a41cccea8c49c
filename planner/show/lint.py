"""Shows what was found in a request as text."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from planner.model.lint import Finding, Lint
from planner.show.table import plural

ALIKE_SHOWN = 5
"""So many paths are named of findings that say the same; one more takes no more room."""


def tell_lint(lint: Lint, console: Console, *, everything: bool = False) -> None:
    """Print each finding with its remedy, in the order of the request.

    Neighbours that say the same are one, with their paths; of many only some unless `everything`.
    """
    if not lint.findings:
        console.print(f"Nothing found in {lint.request}: everything it says has an effect.")
        return
    left = 0
    for (message, remedy), alike in groupby(lint.findings, key=_what_is_so):
        paths = [each.path for each in alike]
        shown = paths if everything or len(paths) <= ALIKE_SHOWN + 1 else paths[:ALIKE_SHOWN]
        _tell_one(shown, len(paths) - len(shown), message, console)
        console.print(Text(f"    remedy: {remedy}", style="dim"))
        left += len(paths) - len(shown)
    console.print(f"\n{plural(len(lint.findings), 'finding')} in {lint.request}")
    if left:
        console.print(Text("all of it: planner lint -v, or --format json", style="dim"))


def _what_is_so(finding: Finding) -> tuple[str, str]:
    return finding.message, finding.remedy


def _tell_one(paths: Sequence[str], more: int, message: str, console: Console) -> None:
    more_of_them = f" and {more:,} more" if more else ""
    console.print(Text.assemble((", ".join(paths), "bold"), more_of_them, ": ", message))
