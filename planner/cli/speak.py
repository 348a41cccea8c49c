"""What a person says to a run, from another terminal or before it goes on."""

import getpass

import click

from planner.cli import options
from planner.cli.session import log_at
from planner.runs import Saying, speak


def _command(name: Saying, done: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @click.argument("run", required=False)
    @options.database
    @options.told
    def command(run: str | None, db: str) -> None:
        with log_at(db) as log:
            journal = speak(log, run, name, getpass.getuser())
        click.echo(f"Run {journal.run_id} {done}")

    return command


approve = _command(
    "approve",
    "is approved to go on",
    "Let RUN go on after a stage that asked for approval. Without RUN: the one that is under way.",
)
pause = _command(
    "pause",
    "is paused; pods that went come back, `planner resume` goes on",
    "Let RUN let nothing more go. Pods that were let go come back.",
)
resume = _command("resume", "goes on", "Let RUN go on after it was paused.")
abort = _command(
    "abort",
    "ends where it is (where nobody is at work: as soon as `planner apply` has it in hand); "
    "`planner rollback` leads back",
    "End RUN where it is. Workloads that are between two versions stay held there.",
)
skip = _command(
    "skip",
    "waits no longer for what is left of its wave",
    "Go on with the next wave of RUN without what is left of the present one.",
)
retry = _command(
    "retry",
    "tries once more what failed",
    "Wait once more for pods of RUN that failed; those that earlier waves left are planned anew.",
)
