"""What the planner says of the controllers, measured by what they did."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.agreement.compare import Agreement, compare
from tests.agreement.measured import measured
from tests.agreement.operations import operations_of
from tests.agreement.predicted import Predicted
from tests.agreement.reasons import REASONS
from tests.agreement.recording import Recording
from tests.agreement.report import disagreements, report
from tests.agreement.share import Share
from tests.agreement.taken import most_at_once, taken_by

DOCUMENT = Path(__file__).parents[2] / "docs" / "agreement.md"

# Of each upgrade: pods, pairs of pods in order, kinds of move (each: so many of so many), most at
# once and the most that the planner allows.
NUMBERS = {
    "catalog": ((40, 40), (531, 666), (40, 40), (10, 10)),
    "mysql": ((9, 9), (36, 36), (9, 9), (1, 1)),
    "elastic": ((10, 10), (45, 45), (10, 10), (1, 1)),
    "node-agent": ((60, 60), (0, 0), (60, 60), (6, 6)),
    "cart": ((110, 110), (5485, 5485), (110, 110), (22, 22)),
    "payment": ((60, 60), (1656, 1656), (60, 60), (3, 3)),
    "image-resizer": ((26, 26), (282, 282), (26, 26), (6, 6)),
    "inventory": ((45, 45), (881, 888), (36, 45), (9, 9)),
    "tair": ((40, 40), (780, 780), (40, 40), (4, 4)),
    "log-tail (5)": ((35, 55), (1321, 1321), (55, 55), (5, 5)),
    "log-tail (20%)": ((295, 295), (9849, 9849), (295, 295), (25, 70)),
    "mesh-proxy": ((520, 520), (18023, 18217), (520, 520), (32, 52)),
    "order": ((90, 90), (3810, 3812), (90, 90), (18, 18)),
    "checkout": ((70, 70), (2182, 2182), (70, 70), (7, 7)),
    "checkout back": ((70, 70), (2323, 2323), (70, 70), (7, 7)),
    "product": ((80, 80), (3001, 3001), (80, 80), (16, 16)),
    "web": ((90, 90), (2028, 2506), (90, 90), (22, 22)),
    "redis": ((24, 24), (276, 276), (24, 24), (1, 1)),
}
SERVING_LEAST = ("CloneSet", "SidecarSet")
HOW_TO_RENEW = "run `python -m tests.agreement > docs/agreement.md`"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return Recording()


@pytest.fixture(scope="module")
def agreements() -> tuple[Agreement, ...]:
    return measured()


def test_the_planner_agrees_with_the_recording_in_these_numbers(
    agreements: tuple[Agreement, ...],
) -> None:
    def pair(share: Share) -> tuple[int, int]:
        return share.agree, share.of

    measured_numbers = {
        each.name: (
            pair(each.pods),
            pair(each.order.pairs),
            pair(each.ways),
            (each.at_once, each.limit),
        )
        for each in agreements
    }
    assert measured_numbers == NUMBERS


def test_no_controller_had_more_down_at_once_than_the_planner_allows(
    agreements: tuple[Agreement, ...],
) -> None:
    assert [each.name for each in agreements if each.at_once > each.limit] == []


def test_pods_only_go_out_of_order_when_they_changed_after_the_observation(
    agreements: tuple[Agreement, ...],
) -> None:
    unexplained = {
        each.name: each.order.pairs.of - each.order.pairs.agree - each.order.changed
        for each in agreements
        if each.kind in SERVING_LEAST
    }
    # What a CloneSet with maxSurge removes in the end, it takes in the order of scaling in.
    assert {name: pairs for name, pairs in unexplained.items() if pairs} == {"inventory": 7}


def test_only_ties_go_at_another_partition_than_planned(
    agreements: tuple[Agreement, ...],
) -> None:
    parts = [part for each in agreements if each.kind in SERVING_LEAST for part in each.parts]
    assert len(parts) == 5
    assert all(part.pods.agree + part.ties == part.pods.of for part in parts)


def test_everything_below_100_percent_has_a_reason_and_nothing_else(
    agreements: tuple[Agreement, ...],
) -> None:
    assert {(name, measure) for name, measure, _ in disagreements(agreements)} == REASONS.keys()


def test_the_document_says_what_is_measured(agreements: tuple[Agreement, ...]) -> None:
    assert DOCUMENT.read_text() == report(agreements), HOW_TO_RENEW


def test_the_reading_of_the_recording_knows_what_happened(recording: Recording) -> None:
    operations = {operation.name: operation for operation in operations_of(recording)}
    mysql = taken_by(operations["mysql"], recording)
    assert [each.before.name for each in mysql] == [f"mysql-{index}" for index in range(8, -1, -1)]
    elastic = taken_by(operations["elastic"], recording)
    assert {each.before.name for each in elastic} == {f"elastic-{index}" for index in range(5, 15)}
    assert {each.way for each in taken_by(operations["product"], recording)} == {"recreate"}
    checkout = operations["checkout"]
    moved = [
        sum(step.begin <= each.t < step.end for each in taken_by(checkout, recording))
        for step in checkout.steps
    ]
    assert moved == [0, 1, 34, 0, 35]
    assert most_at_once(operations["payment"], recording) == 3


def test_a_wrong_prediction_does_not_agree(recording: Recording) -> None:
    operations = {operation.name: operation for operation in operations_of(recording)}
    tair = operations["tair"]
    really = [each.uid for each in taken_by(tair, recording)]
    right = Predicted(order=tuple(really), ways=dict.fromkeys(really, "in-place"), limit=4)
    assert compare(tair, right, recording).order.pairs == Share(agree=780, of=780)
    backwards = replace(right, order=right.order[::-1], ways=dict.fromkeys(really, "recreate"))
    wrong = compare(tair, backwards, recording)
    assert (wrong.order.pairs.agree, wrong.ways.agree) == (0, 0)
    half = compare(tair, replace(right, order=right.order[:20]), recording)
    assert half.pods == Share(agree=20, of=40)
