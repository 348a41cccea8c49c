"""How texts are styled that no table holds. Imports little: `planner --help` needs it."""

import os

import click


def is_plain() -> bool:
    """Whether NO_COLOR asks for texts without any style (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


def styled(text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
    """Style a text for a terminal, unless NO_COLOR is set."""
    if is_plain():
        return text
    return click.style(text, fg=fg, bold=bold or None, dim=dim or None)


def tell_error(message: str) -> None:
    """Say on standard error what is wrong, in one line."""
    line = " ".join(message.split())
    click.echo(f"{styled('error:', fg='red', bold=True)} {line}", err=True)
