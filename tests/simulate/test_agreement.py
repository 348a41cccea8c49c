"""The simulated controllers, measured by what the real ones did."""

from pathlib import Path

import pytest

from tests.agreement.share import Share
from tests.simulate.measured import Measured, measured
from tests.simulate.reasons import REASONS
from tests.simulate.report import numbers, report

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulation.md"
HOW_TO_RENEW = "run `python -m tests.simulate > docs/simulation.md`"
SIMULTANEOUS = {"mesh-proxy", "order"}
IN_ORDER = ("CloneSet", "SidecarSet", "StatefulSet", "AdvancedStatefulSet")


@pytest.fixture(scope="module")
def compared() -> Measured:
    return measured()


def test_the_same_pods_move_in_every_upgrade_that_was_not_interrupted(compared: Measured) -> None:
    assert {each.name for each in compared.simulation if not each.pods.is_whole} == {"log-tail (5)"}


def test_pods_go_in_the_recorded_order_but_where_two_upgrades_meet(compared: Measured) -> None:
    differ = {
        each.name
        for each in compared.simulation
        if each.kind in IN_ORDER and not each.order.pairs.is_whole
    }
    # `inventory` surges: what it removes in the end depends on how fast containers restarted.
    assert differ == SIMULTANEOUS | {"inventory"}


def test_as_many_are_down_at_once_as_in_the_recording(compared: Measured) -> None:
    differ = {each.name for each in compared.simulation if each.at_once != each.limit}
    # Those two never reach what they may: there it is the speed of writes and restarts.
    assert differ == {"log-tail (20%)", "mesh-proxy"}


def test_one_sidecar_set_takes_pods_of_all_its_workloads_in_one_order(compared: Measured) -> None:
    across = {each.name: each.across.pairs for each in compared.simulation}
    assert across["log-tail (20%)"] == Share(agree=31_543, of=31_543)


def test_everything_below_100_percent_has_a_reason_and_nothing_else(compared: Measured) -> None:
    below = {(name, measure) for name, measure, share in numbers(compared) if not share.is_whole}
    assert below == REASONS.keys()


def test_the_document_says_what_is_measured(compared: Measured) -> None:
    assert DOCUMENT.read_text() == report(compared), HOW_TO_RENEW
