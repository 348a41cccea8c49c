"""The auditor on a real control plane: it has to see what somebody else does there."""

import json
from pathlib import Path

from tests.controlplane import fleet
from tests.controlplane.auditing import Auditor
from tests.controlplane.conftest import wait_all_ready
from tests.controlplane.plane import ControlPlane

PODS = f"/api/v1/namespaces/{fleet.NAMESPACE}/pods"


def test_pods_that_are_deleted_past_their_budget_are_reported_unless_it_was_told_of_them(
    other_plane: ControlPlane, tmp_path: Path
) -> None:
    admin = other_plane.admin
    path, budget = fleet.budget("web", 2)
    admin.apply(path, budget)
    # What a test before this one did to the pods is over.
    wait_all_ready(other_plane, 12)
    request, planes = tmp_path / "request.json", {other_plane.name: other_plane}
    request.write_text(json.dumps({"spec": {"target": {}}}))
    with Auditor(request, planes, ()) as auditor, Auditor(request, planes, ()) as told:
        gone = [it["metadata"] for it in admin.get(PODS)["items"][:5]]
        told.theirs(cluster=other_plane.name, uids=[it["uid"] for it in gone])
        for it in gone:
            admin.delete(f"{PODS}/{it['name']}")
        wait_all_ready(other_plane, 12)
        found = auditor.found()
        assert {**told.found(), "changes": 0} == {
            "violations": [],
            "disrupted": 0,
            "theirs": 5,
            "changes": 0,
        }
    admin.delete(path)
    assert (found["disrupted"], found["theirs"]) == (5, 0)
    assert "pdb/shanghai/trade/web: 9 pods served, 10 have to" in found["violations"]
