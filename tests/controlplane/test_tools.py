"""Everything else in this folder needs Go, or what it has built before."""

import pytest

from tests.controlplane.binaries import binaries


@pytest.mark.usefixtures("tools")
def test_the_programs_of_a_control_plane_are_built() -> None:
    programs = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
    assert {each.name for each in binaries().iterdir()} == {*programs, "kubectl", "kwok"}
