"""The page of a plan in a real browser: what the reader asks for appears."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from planner.plan.book import Book
from tests.show.hostile import hostile_plan
from tests.show.sample import SMALL_PAGE, SMALL_PLAN, page_of

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=10000",
    "--dump-dom",
]


class Browser:
    """A real Chromium that draws a page and gives back what it drew."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def draw(self, page: str, state: str) -> str:
        path = self._folder / "plan.html"
        path.write_text(page, encoding="utf-8")
        profile = f"--user-data-dir={self._folder / 'profile'}"
        command = [self._program, *OPTIONS, profile, f"{path.as_uri()}#{state}"]
        return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout.decode()


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    program = shutil.which("chromium")
    if program is None:
        message = "no chromium here; install it with apt-get install chromium"
        if os.environ.get("PLANNER_REQUIRE_CHROMIUM") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return Browser(program, tmp_path)


def without_scripts(drawn: str) -> str:
    return re.sub(r"(?s)<script.*?</script>", "", drawn)


def rows_of(drawn: str) -> list[str]:
    """The pods found, each as one line of text."""
    table = drawn.split('id="pods-table"')[1].split("</section>", maxsplit=1)[0]
    rows = re.findall(r"<tr[ >].*?</tr>", table, flags=re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows[1:]]


def test_a_browser_finds_a_pod_by_part_of_its_name(browser: Browser) -> None:
    move = next(move for move in SMALL_PLAN.moves() if move["wave"] == 7)
    drawn = browser.draw(SMALL_PAGE, "q=" + move["pod"][-9:].upper())
    assert [row for row in rows_of(drawn) if move["pod"] in row.replace(" ", "")]
    assert [row for row in rows_of(drawn) if row.startswith(f"7 {move['stage']} {move['kind']}")]
    assert "120 of 120 workloads" in drawn


def test_a_browser_finds_the_pods_of_one_workload_in_one_wave(browser: Browser) -> None:
    move = next(move for move in SMALL_PLAN.moves() if move["wave"] == 9)
    workload = move["workload"]
    key = f"{move['cluster']}/{move['namespace']}/{workload['kind']}/{workload['name']}"
    expected = [
        other["pod"]
        for other in SMALL_PLAN.moves()
        if (other["wave"], other["workload"]) == (9, workload)
        and (other["cluster"], other["namespace"]) == (move["cluster"], move["namespace"])
    ]
    rows = rows_of(browser.draw(SMALL_PAGE, f"wave=9&workload={key}"))
    assert len(rows) == len(expected)
    assert all(pod in row for pod, row in zip(expected, rows, strict=True))


def test_a_browser_says_why_an_unmovable_pod_stays(browser: Browser) -> None:
    pod = SMALL_PLAN.header["unmovable"][1]
    rows = rows_of(browser.draw(SMALL_PAGE, "wave=none&q=" + pod["pod"]))
    assert len(rows) == 1
    assert rows[0].endswith("the workload is paused; remedy: unset spec.paused")


def test_a_browser_draws_the_critical_chain(browser: Browser) -> None:
    drawn = without_scripts(browser.draw(SMALL_PAGE, ""))
    cells = re.findall(r'<td class="[^"]*critical[^"]*"', drawn)
    assert len(cells) == len(Book(SMALL_PLAN.header).critical_chain()) > 1


def test_a_browser_draws_hostile_names_as_text(browser: Browser) -> None:
    header, moves = hostile_plan()
    drawn = browser.draw(page_of(header, moves), "q=onerror")
    assert len(rows_of(drawn)) > 50
    assert "120 of 120 workloads" in drawn
    assert "<img" not in without_scripts(drawn)


def test_a_browser_draws_a_plan_without_moves(browser: Browser) -> None:
    nothing = {"waves": 0, "seconds": 0, "workloads": [], "per_wave": [], "budgets": []}
    drawn = browser.draw(page_of({**SMALL_PLAN.header, **nothing, "unmovable": []}, []), "q=cart")
    assert "The charts cannot be drawn" not in without_scripts(drawn)
    assert "Every pod that differs from the target has a move." in without_scripts(drawn)
    assert "No pod of this plan matches." in without_scripts(drawn)
