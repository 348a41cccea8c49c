"""Shows answers of `planner explain` as text."""

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from planner.plan.explain import Reasons

LINKS_SHOWN = 12


def tell_reasons(answers: Iterable[Reasons], console: Console) -> None:
    """Print each answer: the facts, the chain of waves that ends there, what would change it."""
    for answer in answers:
        console.print(Text(answer.subject, style="bold"))
        for fact in answer.facts:
            console.print(f"  {fact}")
        if len(answer.chain) > 1:
            console.print("  the chain that ends here:")
        left_out = len(answer.chain) - LINKS_SHOWN
        if left_out > 0:
            console.print(Text(f"    ... {left_out} earlier waves", style="dim"))
        for link in answer.chain[-LINKS_SHOWN:] if len(answer.chain) > 1 else ():
            console.print(f"    wave {link.wave:>3}  {link.subject}: held by {link.because}")
        for remedy in answer.remedies:
            console.print(Text(f"  earlier with: {remedy}", style="dim"))
