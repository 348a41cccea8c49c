"""`planner verify`: check a plan independently."""

import gc
import sys
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from planner.cli import options
from planner.cli.session import is_verbose, log_at, print_json, progress
from planner.loop import load_plan, verify_plan
from planner.verify import proved_by

EXIT_VIOLATED = 4
SHOWN_MAX = 50
_UNITS = {"streaming": "seconds without waiting for waves"}


@click.command("verify")
@click.argument("plan")
@options.database
@options.output_format
@options.told
def command(plan: str, db: str, form: str) -> None:
    """Check every rule of PLAN against the observed fleet, sharing no code with the scheduler.

    Exit code 0: it holds; 4: it is violated, and each violation is named.
    """
    # Millions of values are made and kept until the end; walking them for garbage finds none.
    gc.disable()
    with log_at(db) as log, progress() as told:
        told("reading the plan")
        loaded = load_plan(lambda: log, plan)
        violations = verify_plan(log, loaded, progress=told)
    bounds = [] if violations else list(_bounds(msgspec.json.decode(loaded.header(), type=_Bounds)))
    if form == "json":
        report = {
            "apiVersion": "planner/v1",
            "kind": "Report",
            "plan": loaded.id,
            "holds": not violations,
            "violations": violations,
            "bounds": bounds,
        }
        print_json(report)
    elif violations:
        shown = violations if is_verbose() else violations[:SHOWN_MAX]
        for violation in shown:
            wave = "" if violation.wave is None else f" in wave {violation.wave}"
            click.echo(f"{violation.rule}: {violation.subject}{wave}: {violation.message}")
        if len(violations) > len(shown):
            click.echo(f"... and {len(violations) - SHOWN_MAX:,} more; -v shows all of them")
    else:
        click.echo(f"The plan holds: {len(loaded):,} moves keep every rule.")
        for bound in bounds:
            said = "not checked" if bound["by"] is None else f"proved by {bound['by']}"
            unit = _UNITS.get(bound["name"], bound["name"])
            click.echo(f"  bound of {bound['least']:,.10g} {unit}: {said}")
    sys.exit(EXIT_VIOLATED if violations else 0)


class _Streaming(msgspec.Struct):
    seconds_bound: int | float
    proof: dict[str, Any]


class _Bounds(msgspec.Struct):
    """Of a header only its bounds: the rest of a large one takes a second to read."""

    waves_bound: int
    seconds_bound: int | float
    proof: dict[str, dict[str, Any] | None] | None = None
    streaming: _Streaming | None = None


def _bounds(of: _Bounds) -> Iterator[dict[str, Any]]:
    """What was proved, of a plan that holds: by what its certificates say."""
    proof = of.proof or {}
    for name, least in (("waves", of.waves_bound), ("seconds", of.seconds_bound)):
        yield {"name": name, "least": least, "by": proved_by(proof.get(name) or {})}
    if of.streaming is not None:
        least, by = of.streaming.seconds_bound, proved_by(of.streaming.proof)
        yield {"name": "streaming", "least": least, "by": by}
