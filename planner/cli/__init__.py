"""The command line: one file a command. Prints, never decides.

Commands are imported when they are called, so that `planner --help` is quick.
"""

import importlib
import os
import sys
from typing import Final

import click

from planner.errors import PlannerError

# Module and summary of each command: `planner --help` imports none of them.
COMMANDS: Final = {
    "import": ("import_recorded", "Append a recorded cluster to the log."),
    "status": ("status", "Show the fleet, and what is already wrong with it."),
    "diff": ("diff", "Show what would have to change."),
    "plan": ("plan", "Plan an upgrade: every move of every wave, with a proof."),
    "show": ("show", "Show a plan as text, JSON, JSON lines or an HTML page."),
    "explain": ("explain", "Say why something is where it is in a plan."),
    "verify": ("verify", "Check every rule of a plan, on other code."),
    "simulate": ("simulate", "Run a plan on simulated clusters, with faults on demand."),
    "schema": ("schema", "Print the JSON Schema of what goes in and out."),
    "log": ("log", "Look at the event log itself."),
}
EXIT_USAGE: Final = 64
EXIT_INTERRUPTED: Final = 130


class Commands(click.Group):
    """The commands of the planner, in the order in which one needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        """Give the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"planner.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fleet-upgrade-planner", prog_name="planner")
def cli() -> None:
    """Plan the upgrade of whole Kubernetes fleets: every pod, no budget broken, with a proof.

    Every command reads and writes one event log: --db URL or PLANNER_DB, by default planner.db in
    the working directory.
    """


def main() -> None:
    """Run the command line and exit with a documented code."""
    try:
        sys.exit(cli.main(prog_name="planner", standalone_mode=False))
    except click.exceptions.Abort:
        _fail("interrupted; the log holds whole commits only, run the command again", 130)
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f" (see `{context.command_path} --help`)" if context else ""
        _fail(error.format_message().replace("\n", " ") + hint, EXIT_USAGE)
    except PlannerError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader went away (`planner show ... | head`): not an error, and nothing to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _fail(message: str, code: int) -> None:
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
    sys.exit(code)
