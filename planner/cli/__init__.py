"""The command line: one file a command. Prints, never decides.

Commands are imported when they are called, so that `planner --help` is quick.
"""

import difflib
import gc
import importlib
import os
import sys
from types import ModuleType
from typing import Final

import click

from planner.cli import options
from planner.cli.interrupt import EXIT_INTERRUPTED, INTERRUPTED
from planner.cli.style import tell_error
from planner.errors import PlannerError

# Module (and the command's name in it, where it holds several) and summary of each command:
# `planner --help` imports none of them.
COMMANDS: Final = {
    "import": ("import_recorded", "Append a recorded cluster to the log."),
    "observe": ("observe", "List and watch live clusters into the log until stopped."),
    "status": ("status", "Show the fleet, and what is already wrong with it."),
    "diff": ("diff", "Show what would have to change."),
    "lint": ("lint", "Show what of a request does nothing, or blocks too much."),
    "plan": ("plan", "Plan an upgrade: every move of every wave, with a proof."),
    "show": ("show", "Show a plan as text, JSON, JSON lines or an HTML page."),
    "plan-diff": ("plan_diff", "Show what became different from one plan to another."),
    "whatif": ("whatif", "Plan again with something otherwise, and show what comes of it."),
    "bottlenecks": ("bottlenecks", "Say what one unit more of each limit would save."),
    "eta": ("eta", "Say how sure the end of a plan is, by drawing how long its moves take."),
    "way-back": ("way_back", "Say how long the way back would take, wave by wave."),
    "explain": ("explain", "Say why something is where it is in a plan."),
    "verify": ("verify", "Check every rule of a plan, on other code."),
    "simulate": ("simulate", "Run a plan on simulated clusters, with faults on demand."),
    "apply": ("apply", "Carry a plan out on live clusters, wave by wave."),
    "approve": ("speak.approve", "Let a run go on after a stage that asked for approval."),
    "pause": ("speak.pause", "Let a run let nothing more go."),
    "resume": ("speak.resume", "Let a paused run go on."),
    "abort": ("speak.abort", "End a run where it is."),
    "skip": ("speak.skip", "Wait no longer for the rest of a wave."),
    "retry": ("speak.retry", "Wait once more for pods that failed."),
    "runs": ("runs", "List the runs of the log, and how far each is."),
    "rollback": ("rollback", "Bring back what was there before a run."),
    "schema": ("schema", "Print the JSON Schema of what goes in and out."),
    "log": ("log", "Look at the event log itself."),
}
EXIT_USAGE: Final = 64


class Commands(click.Group):
    """The commands of the planner, in the order in which one needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        """Give the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            ctx.fail(f"{cmd_name} is no command{hint}")
        module, _, name = COMMANDS[cmd_name][0].partition(".")
        found = _imported(f"planner.cli.{module}")
        command: click.Command = getattr(found, name or "command")
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.command(
    cls=Commands, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="fleet-upgrade-planner", prog_name="planner")
@options.before_command
def cli(**_said: object) -> None:
    """Plan the upgrade of whole Kubernetes fleets: every pod, no budget broken, with a proof.

    Every command reads and writes one event log: --db URL or PLANNER_DB, by default planner.db in
    the working directory. These options may stand before the command or after it.
    """


def _imported(module: str) -> ModuleType:
    """Import a module, and keep the garbage collector off what is there for good.

    It would walk through all of it again and again while it grows, and once more at the end.
    """
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def main() -> None:
    """Run the command line and exit with a documented code."""
    try:
        sys.exit(_run(sys.argv[1:]))
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail(INTERRUPTED, EXIT_INTERRUPTED)
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f" (see `{context.command_path} --help`)" if context else ""
        _fail(error.format_message() + hint, EXIT_USAGE)
    except PlannerError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader went away (`planner show ... | head`): not an error, and nothing to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _fail(f"{error.filename or 'cannot write the result'}: {error.strerror}", 1)


def _run(arguments: list[str]) -> int:
    """Run a command; not by click's own `main`, to which a reader that went away is an error."""
    try:
        with cli.make_context("planner", arguments) as context:
            cli.invoke(context)
        code = 0
    except click.exceptions.Exit as done:
        code = done.exit_code
    except SystemExit as done:
        code = int(done.code or 0)
    sys.stdout.flush()
    return code


def _fail(message: str, code: int) -> None:
    tell_error(message)
    sys.exit(code)
