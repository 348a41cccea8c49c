"""What is said of hundreds of places is said once."""

import io

import pytest
from rich.console import Console

from planner.model.lint import Finding, Lint
from planner.show.lint import tell_lint


def finding(path: str, message: str) -> Finding:
    return Finding(rule="never-binds", path=path, message=message, remedy="take it out")


def told(*, everything: bool) -> str:
    same = [finding(f"budgets.team-{number}", "it never binds") for number in range(9)]
    found = (*same, finding("budgets.fleet", "it allows nothing"), same[0])
    out = io.StringIO()
    lint = Lint(request="release", position=1, findings=found)
    tell_lint(lint, Console(file=out, width=300), everything=everything)
    return out.getvalue()


def test_of_many_that_say_the_same_some_are_named() -> None:
    first = ", ".join(f"budgets.team-{number}" for number in range(5))
    assert told(everything=False).splitlines() == [
        f"{first} and 4 more: it never binds",
        "    remedy: take it out",
        "budgets.fleet: it allows nothing",
        "    remedy: take it out",
        "budgets.team-0: it never binds",
        "    remedy: take it out",
        "",
        "11 findings in release",
        "all of it: planner lint -v, or --format json",
    ]


@pytest.mark.parametrize("path", ["budgets.team-0", "budgets.team-8"])
def test_all_of_them_are_named_when_asked_for(path: str) -> None:
    assert path in told(everything=True)
    assert "planner lint -v" not in told(everything=True)
