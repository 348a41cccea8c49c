"""The way back keeps what says how pods may be moved, and drops what says when."""

from __future__ import annotations

from planner.apply.back import back_request

GANGS = [{"name": "groups", "labelKey": "group"}]


def test_the_way_back_keeps_gangs() -> None:
    spec = {"target": {"images": []}, "gangs": GANGS, "stages": [], "sequences": []}
    back = back_request({"metadata": {"name": "there"}, "spec": spec}, {}, {})
    assert back["spec"] == {"target": {}, "gangs": GANGS}
