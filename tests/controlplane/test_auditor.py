"""The auditor on a real control plane: it has to see what somebody else does there."""

import json
import subprocess
import sys
from pathlib import Path

from tests.controlplane import fleet
from tests.controlplane.conftest import wait_all_ready
from tests.controlplane.given import is_there
from tests.controlplane.plane import ControlPlane
from tests.controlplane.wait import until

PODS = f"/api/v1/namespaces/{fleet.NAMESPACE}/pods"


def test_pods_that_are_deleted_past_their_budget_are_reported(
    other_plane: ControlPlane, tmp_path: Path
) -> None:
    admin = other_plane.admin
    path, budget = fleet.budget("web", 2)
    admin.apply(path, budget)
    # What a test before this one did to the pods is over.
    wait_all_ready(other_plane, 12)
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"spec": {"target": {}}}))
    command = [sys.executable, "-m", "tests.controlplane.auditor"]
    command += [str(other_plane.kubeconfig()), str(request)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as auditor:
        try:
            assert auditor.stdout
            assert auditor.stdout.readline() == "watching\n"
            gone = [f"{PODS}/{it['metadata']['name']}" for it in admin.get(PODS)["items"][:5]]
            for name in gone:
                admin.delete(name)
            # Before, those on their way out are still Ready and make up the twelve.
            until("they are gone", lambda: not any(is_there(admin, name) for name in gone))
            wait_all_ready(other_plane, 12)
        finally:
            auditor.terminate()
        found = json.loads(auditor.stdout.readline())
    admin.delete(path)
    assert found["disrupted"] == 5
    assert "pdb/shanghai/trade/web: 9 pods served, 10 have to" in found["violations"]
