"""Shows what was found in a request as text."""

from rich.console import Console
from rich.text import Text

from planner.model.lint import Lint
from planner.show.table import plural


def tell_lint(lint: Lint, console: Console) -> None:
    """Print each finding with its remedy, in the order of the request."""
    if not lint.findings:
        console.print(f"Nothing found in {lint.request}: everything it says has an effect.")
        return
    for each in lint.findings:
        console.print(Text.assemble((each.path, "bold"), ": ", each.message))
        console.print(Text(f"    remedy: {each.remedy}", style="dim"))
    console.print(f"\n{plural(len(lint.findings), 'finding')} in {lint.request}")
