"""Options that several commands share, and what they stand for.

`--db`, `-q` and `-v` may also stand before the command, for whichever follows; what stands after it
counts more.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])


def database(command: F) -> F:
    """`--db URL`: which log."""
    return click.option(
        "--db",
        metavar="URL",
        envvar="PLANNER_DB",
        default="sqlite:///planner.db",
        show_default=True,
        show_envvar=True,
        help="The event log: a SQLAlchemy URL (SQLite or PostgreSQL).",
        callback=_or_before,
    )(command)


def output_format(command: F) -> F:
    """`--format`: for people or for programs."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="For people or for programs.",
    )(command)


def at(command: F) -> F:
    """`--at`: a former state of the fleet."""
    return click.option(
        "--at",
        metavar="POSITION|TIME",
        help="The fleet as the log held it at a position or at a time (ISO 8601).",
    )(command)


def request_file(command: F) -> F:
    """`-f REQUEST`: what to do."""
    return click.option(
        "-f",
        "--file",
        "request_path",
        required=True,
        type=click.Path(dir_okay=False, allow_dash=True),
        metavar="REQUEST",
        help="The upgrade request (YAML or JSON), `-` for standard input.",
    )(command)


def clusters(command: F) -> F:
    """`--cluster NAME=CONTEXT` and `--kubeconfig`: which live clusters."""
    kubeconfig = click.option(
        "--kubeconfig",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Instead of KUBECONFIG or ~/.kube/config.",
    )
    return click.option(
        "--cluster",
        "clusters",
        multiple=True,
        metavar="NAME=CONTEXT",
        help="What to call a cluster, and its context in the kubeconfig. May be repeated.",
    )(kubeconfig(command))


def told(command: F) -> F:
    """`-q` and `-v`: how much is told; `session` reads them."""
    for flags, text in (
        (("-v", "--verbose"), "Tell more: all of long lists, and each step on stderr."),
        (("-q", "--quiet"), "Tell only results and errors."),
    ):
        option = click.option(*flags, is_flag=True, expose_value=False, callback=_keep, help=text)
        command = option(command)
    return command


def before_command(group: F) -> F:
    """Take the options of every command before the command too."""
    return database(told(group))


def _or_before(context: click.Context, parameter: click.Parameter, value: object) -> object:
    """What was said before the command, if nothing was said after it."""
    name = parameter.name
    assert name is not None  # click derives it from the option
    before = context.find_root()
    if _is_said(before, name) and not _is_said(context, name):
        return before.params[name]
    return value


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keep a flag for the session; what stands after the command counts more."""
    name = parameter.name
    assert name is not None  # click derives it from the option
    key = f"planner.{name}"
    if _is_said(context, name) or key not in context.meta:
        context.meta[key] = value


def _is_said(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE
