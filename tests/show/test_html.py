"""The page of a plan: one file, safe, complete, and small at a million moves."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
import zlib
from collections import Counter
from html.parser import HTMLParser
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.show.html import duration, render
from tests.show.hostile import HOSTILE, hostile_plan
from tests.show.sample import LARGE, SMALL_PAGE, SMALL_PLAN, Sample, page_of

if TYPE_CHECKING:
    from pathlib import Path


def block_of(page: str, name: str) -> Any:  # noqa: ANN401  (JSON is anything)
    found = re.search(rf'id="{name}">([^<]*)</script>', page)
    assert found is not None
    return json.loads(zlib.decompress(base64.b64decode(found[1]), 31))


def pods_of(page: str) -> list[tuple[int, list[str], str, dict[str, Any]]]:
    """Read the index as the page's script does, which counts text in UTF-16 units."""
    index = block_of(page, "pods-data")
    tails, start, pods = index["tails"].encode("utf-16-le"), 0, []
    for column in ("place", "fate", "head"):
        index["runs"][column] = accumulate(index["runs"][column])
    for wave, place, fate, head, width, count in zip(*index["runs"].values(), strict=True):
        for _ in range(count):
            end = start + 2 * width
            name = index["heads"][head] + tails[start:end].decode("utf-16-le")
            pods.append((wave, index["places"][place], name, index["fates"][fate]))
            start = end
    assert start == len(tails)
    return pods


def without_data(page: str) -> str:
    return re.sub(r'(id="(?:plan|pods)-data">)[^<]*', r"\1", page)


class Tags(HTMLParser):
    """Every tag of a page, and the text of its title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.met: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.met.append((tag, dict(attrs)))


def test_the_page_asks_the_network_for_nothing() -> None:
    text = without_data(SMALL_PAGE)
    assert not re.search(
        r"(?i)https?:|//[a-z]|url\(|@import|fetch\(|XMLHttpRequest|WebSocket", text
    )
    references = [
        reference
        for _, attributes in Tags(SMALL_PAGE).met
        for name, reference in attributes.items()
        if name in {"src", "href", "srcset", "data", "action"}
    ]
    assert references
    assert all(reference is not None and reference.startswith("#") for reference in references)


def test_the_policy_allows_exactly_the_script_and_style_inside() -> None:
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', SMALL_PAGE)
    assert found is not None
    policy = found[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", 'script type="module"'):
        inside = SMALL_PAGE.split(f"<{tag}>")[1].split(f"</{tag.split()[0]}>")[0]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_markup_in_names_stays_text() -> None:
    header, moves = hostile_plan()
    page = page_of(header, moves)
    tags = Counter(tag for tag, _ in Tags(page).met)
    assert tags["img"] == 0
    assert tags["script"] == 3
    assert page.count("</script>") == 3
    assert html.escape("double-11" + HOSTILE) in page
    assert pods_of(page)[0][2] == moves[0]["pod"]
    assert block_of(page, "plan-data")["budgets"][0]["name"] == header["budgets"][0]["name"]


def test_the_same_plan_gives_the_same_bytes_in_text_and_binary() -> None:
    out = io.BytesIO()
    render(SMALL_PLAN.header, SMALL_PLAN.moves(), out)
    assert out.getvalue().decode() == SMALL_PAGE


def test_every_pod_is_in_the_index_with_its_fate() -> None:
    found = pods_of(SMALL_PAGE)
    moves = list(SMALL_PLAN.moves())
    stays = SMALL_PLAN.header["unmovable"]
    assert len(found) == len(moves) + len(stays)
    for move, (wave, place, name, fate) in zip(moves, found, strict=False):
        workload = move["workload"]
        assert (wave, name) == (move["wave"], move["pod"])
        assert place == [move["cluster"], move["namespace"], workload["kind"], workload["name"]]
        assert fate == {key: move[key] for key in ("stage", "kind", "containers", "because")}
    assert sorted((pod, fate["reason"]) for wave, _, pod, fate in found if wave == 0) == sorted(
        (pod["pod"], pod["reason"]) for pod in stays
    )


@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=20))
def test_any_name_comes_back_from_the_index(names: list[str]) -> None:
    move = next(SMALL_PLAN.moves())
    page = page_of(SMALL_PLAN.header, [{**move, "pod": name} for name in names])
    found = [pod for wave, _, pod, _ in pods_of(page) if wave]
    assert sorted(found) == sorted(names)


def test_what_the_script_does_not_read_is_not_in_the_page() -> None:
    plan = block_of(SMALL_PAGE, "plan-data")
    assert not any("held" in workload for workload in plan["workloads"])
    assert not any("workloads" in budget for budget in plan["budgets"])


def test_a_million_moves_stay_below_five_megabytes(tmp_path: Path) -> None:
    plan = Sample(LARGE)
    assert plan.header["totals"]["moves"] > 980_000
    path = tmp_path / "plan.html"
    with path.open("wb") as out:
        render(plan.header, plan.moves(), out)
    assert path.stat().st_size < 5_000_000


def test_the_verdict_is_readable_without_scripts() -> None:
    text = without_data(SMALL_PAGE)
    assert "<b>24</b><span>proven at least 23, gap 1</span>" in text
    assert "gap 4 min</span>" in text
    assert html.escape(SMALL_PLAN.header["proof"]["waves"]["text"]) in text
    assert html.escape(SMALL_PLAN.header["warnings"][0]) in text
    assert "9d3c9d3c9d3c</code>" in text


def test_a_plan_that_meets_its_bound_says_that_it_cannot_be_beaten() -> None:
    header = {**SMALL_PLAN.header, "waves_bound": SMALL_PLAN.header["waves"]}
    assert "<b>24</b><span>proven: no plan can do better</span>" in page_of(header, [])


def test_a_budget_counts_the_moves_it_holds_back_in_its_own_cluster() -> None:
    move = {**next(SMALL_PLAN.moves()), "because": ["budget:pdb/trade/cart"]}
    budget = {**SMALL_PLAN.header["budgets"][0], "name": "pdb/trade/cart"}
    header = {
        **SMALL_PLAN.header,
        "budgets": [{**budget, "cluster": cluster} for cluster in ("hangzhou", "shanghai", None)],
    }
    moves = [{**move, "cluster": cluster} for cluster in ("hangzhou", "hangzhou", "shanghai")]
    budgets = block_of(page_of(header, moves), "plan-data")["budgets"]
    assert [budget["held"] for budget in budgets] == [2, 1, 3]


def test_the_critical_chain_ends_with_the_plan_and_every_link_waited_for_the_one_before() -> None:
    chain = block_of(SMALL_PAGE, "plan-data")["chain"]
    waves = [wave for wave, _, _ in chain]
    last = SMALL_PLAN.header["waves"]
    assert waves == list(range(waves[0], last + 1))
    assert waves[0] == 1 or not chain[0][2], "nothing held the first link"
    for wave, workload, because in chain:
        assert workload in dict(SMALL_PLAN.header["per_wave"][wave - 1]["workloads"])
        assert because or wave == waves[0]


def test_unmovable_pods_stand_under_their_reason_largest_first() -> None:
    stays = SMALL_PLAN.header["unmovable"]
    groups = block_of(page_of({**SMALL_PLAN.header, "unmovable": stays[:5]}, []), "plan-data")
    assert [(group["reason"], group["pods"]) for group in groups["unmovable"]] == [
        ("two PodDisruptionBudgets select the pod", 2),
        ("the workload is paused", 2),
        ("the partition keeps it", 1),
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.6, "1 min"), (3_600, "1 h"), (3_661, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said
