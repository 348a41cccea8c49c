"""`planner eta`: how sure the end of a plan is."""

from functools import partial

import click

from planner.cli import options
from planner.cli.session import (
    console,
    is_verbose,
    log_at,
    print_json,
    progress,
    snapshots_of,
)
from planner.forecast import foretell
from planner.loop import fleet_of, load_plan
from planner.show.eta import tell_eta

SAMPLES_MAX = 100_000


@click.command("eta")
@click.argument("plan")
@click.option(
    "--samples",
    type=click.IntRange(min=1, max=SAMPLES_MAX),
    metavar="N",
    help="How many times the plan is drawn: by itself 1,000 times, less often if it is large and "
    "streams.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**64 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="Of the draws: the same seed, the same answer.",
)
@options.database
@options.output_format
@options.told
def command(plan: str, samples: int | None, seed: int, db: str, form: str) -> None:
    """Say when PLAN ends in half, nine of ten, and 99 of a hundred cases.

    How long moves take is drawn: by what runs before in the log took, else by what the plan
    expects and a supposed spread. A wave lasts as long as its slowest move; in a plan that streams
    every move goes as soon as its own rules let it. Soaks, windows and freezes are those of a
    run. Approvals, failures and what others do to the
    fleet are not drawn. Beside it stands how well such draws would have foretold the runs that are
    over. With -v every wave is shown.
    """
    with log_at(db) as log, progress() as told:
        told("reading the plan")
        loaded = load_plan(lambda: log, plan)
        fold = partial(fleet_of, log, snapshots=snapshots_of(log))
        found = foretell(log, fold, loaded, samples=samples, seed=seed, tell=told)
    if form == "json":
        print_json(found)
    else:
        tell_eta(found, console(), everything=is_verbose())
