"""`planner simulate`: a plan on simulated clusters."""

import click

from planner.cli import options
from planner.cli.session import console, log_at, print_json, progress
from planner.loop import load_plan, simulate_plan
from planner.show.simulation import tell_simulation
from planner.simulate import read_faults


@click.command("simulate")
@click.argument("plan")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    show_default=True,
    help="Draws how long things take and what goes wrong: the same seed, the same run.",
)
@click.option(
    "--faults",
    metavar="FAULTS",
    default="",
    help="What goes wrong: slow=SHARE and fail=SHARE of starts and restarts, node-loss=COUNT; "
    "for example slow=0.05,fail=0.01,node-loss=1.",
)
@options.database
@options.output_format
@options.told
def command(plan: str, seed: int, faults: str, db: str, form: str) -> None:
    """Run PLAN on simulated clusters and say how far it goes as planned.

    The clusters begin as they were observed when the plan was made; their controllers follow rules
    that share no code with the planner. Moves are let go through the controllers' own levers,
    wave by wave or, where the request streams, each as soon as it may go. Approvals are given at
    once, and nobody waits longer than 10 minutes for a pod in vain.
    """
    wrong = read_faults(faults)
    with log_at(db) as log, progress() as told:
        told("reading the plan")
        loaded = load_plan(lambda: log, plan)
        simulation = simulate_plan(log, loaded, seed=seed, faults=wrong, progress=told)
    if form == "json":
        print_json(simulation)
    else:
        tell_simulation(simulation, console())
