"""Options that several commands share, and what they stand for."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

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


def told(command: F) -> F:
    """`-q` and `-v`: how much is told on stderr; `session.progress` reads them."""
    for flags, text in (
        (("-v", "--verbose"), "Tell each step on stderr, and when it began."),
        (("-q", "--quiet"), "Tell nothing but errors on stderr."),
    ):
        option = click.option(*flags, is_flag=True, expose_value=False, callback=_keep, help=text)
        command = option(command)
    return command


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    context.meta[f"planner.{parameter.name}"] = value
