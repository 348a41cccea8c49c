"""What somebody else does is not taken for ours, and excuses nothing beyond it."""

from typing import Any

from tests.controlplane.auditor.judge import Judge
from tests.controlplane.auditor.test_judge import judge, moved, pod

WEB = {"kind": "CloneSet", "namespace": "shop", "name": "web"}


def fall(on: Judge, number: int, **how: Any) -> None:  # noqa: ANN401 JSON
    on.see("hz", pod("web", number, ready=False, **how), gone=False)


def test_a_pod_that_somebody_deletes_is_not_ours() -> None:
    audit = judge()
    audit.told({"cluster": "hz", "uids": ["web-0"]})
    # One of ours was let go before and is on its way.
    fall(audit, 1)
    audit.see("hz", pod("web", 0), gone=True)
    assert (audit.violations, len(audit.disrupted), audit.theirs.taken) == ([], 1, 1)


def test_it_excuses_no_other_pod_of_the_budget() -> None:
    audit = judge()
    audit.told({"cluster": "hz", "uids": ["web-0"]})
    for number in (1, 2):
        fall(audit, number)
    assert "pdb/hz/shop/web: 2 pods served, 3 have to" in audit.violations


def test_it_excuses_nothing_any_more_once_all_pods_serve_again() -> None:
    audit = judge()
    audit.told({"cluster": "hz", "uids": ["web-0"]})
    audit.see("hz", pod("web", 0), gone=True)
    audit.see("hz", pod("web", 4), gone=False)
    moved(audit, "web", 1)
    assert audit.violations == []
    fall(audit, 2)
    fall(audit, 3)
    assert audit.violations == ["pdb/hz/shop/web: 2 pods served, 3 have to"]


def test_pods_of_a_node_that_is_lost_are_not_ours_but_for_those_that_are_deleted() -> None:
    audit = judge()
    audit.told({"cluster": "hz", "node": "a"})
    lost = [pod("web", number) for number in (0, 1)]
    for each in lost:
        each["spec"]["nodeName"] = "a"
        audit.see("hz", each, gone=False)
    fall(audit, 0)
    assert (audit.violations, audit.theirs.taken) == ([], 1)
    audit.see("hz", lost[1], gone=True)
    assert (len(audit.disrupted), audit.theirs.taken) == (1, 1)
    fall(audit, 2)
    assert "pdb/hz/shop/web: 1 pods served, 2 have to" in audit.violations


def test_a_workload_that_is_scaled_down_loses_so_many_pods_whichever_they_are() -> None:
    audit = judge()
    for number in range(3):
        moved(audit, "web", number)
    audit.told({"cluster": "hz", "workload": WEB, "most": 2, "forGood": True})
    for number in (0, 1):
        audit.see("hz", pod("web", number, tag="2"), gone=True)
    assert (audit.violations, audit.theirs.taken) == ([], 2)
    audit.see("hz", pod("web", 2, tag="2"), gone=True)
    assert "hz/shop/web-2 was at the target and was disrupted again" in audit.violations


def test_a_workload_that_somebody_restarts_has_its_new_pods_disrupted_again() -> None:
    audit = judge()
    moved(audit, "web", 0)
    audit.told({"cluster": "hz", "workload": WEB, "most": 1})
    fall(audit, 0, tag="2")
    audit.see("hz", pod("web", 0, tag="2"), gone=False)
    assert (audit.violations, audit.theirs.taken) == ([], 1)
    fall(audit, 0, tag="2")
    assert audit.violations == ["hz/shop/web-0 was at the target and was disrupted again"]


def test_what_somebody_does_to_another_workload_excuses_nothing() -> None:
    audit = judge()
    moved(audit, "web", 0)
    audit.told({"cluster": "hz", "workload": {**WEB, "name": "db"}, "most": 2})
    audit.told({"cluster": "sh", "uids": ["web-0"]})
    fall(audit, 0, tag="2")
    assert audit.violations == ["hz/shop/web-0 was at the target and was disrupted again"]
    assert audit.theirs.taken == 0
