"""Runs `planner` as its users do: a program of its own."""

import subprocess
import sys

COMMAND = (sys.executable, "-m", "planner")


def planner(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
