"""Shows answers of `planner explain` as text."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from planner.plan.explain import Link, Reasons

RUNS_SHOWN = 24


def tell_reasons(answers: Iterable[Reasons], console: Console) -> None:
    """Print each answer: the facts, the chain of waves that ends there, what would change it."""
    for answer in answers:
        console.print(Text(answer.subject, style="bold"))
        for fact in answer.facts:
            console.print(f"  {fact}")
        if len(answer.chain) > 1:
            console.print("  the chain that ends here:")
        runs = _runs(answer.chain)
        if len(runs) > RUNS_SHOWN:
            console.print(Text(f"    ... {len(runs) - RUNS_SHOWN} earlier steps", style="dim"))
        for run in runs[-RUNS_SHOWN:] if len(answer.chain) > 1 else ():
            first, last = run[0], run[-1]
            waves = f"{first.wave}" if len(run) == 1 else f"{first.wave} to {last.wave}"
            held = "first" if first.because == "nothing" else f"held by {first.because}"
            console.print(f"    wave {waves:<9} {first.subject}: {held}")
        for remedy in answer.remedies:
            console.print(Text(f"  earlier with: {remedy}", style="dim"))


def _runs(chain: Sequence[Link]) -> list[list[Link]]:
    """Group neighbouring waves of one workload that the same thing held back."""
    alike = groupby(chain, key=lambda link: (link.subject, link.because))
    return [list(links) for _, links in alike]
