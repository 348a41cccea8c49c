"""`python -m tests.controlplane.somebodys FILE [OPTION...]`: a cluster to give.

Starts a control plane that knows nothing of the tests, with OpenKruise's kinds and the stand-in of
their controllers, writes a kubeconfig, says `ready`, and stops at SIGTERM or Ctrl-C. Meanwhile
PLANNER_E2E_KUBECONFIG=FILE gives it to the tests.
"""

import argparse
import shutil
import signal
from pathlib import Path
from threading import Event

from tests.controlplane.conftest import add_nodes
from tests.controlplane.definitions import definitions
from tests.controlplane.plane import ControlPlane


def main() -> None:
    """Run until a signal."""
    parser = argparse.ArgumentParser(prog="somebodys", description="a cluster to give to the tests")
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--hurry", type=int, default=1, help="pods take so much less time")
    parser.add_argument("--without-kruise", action="store_true")
    options = parser.parse_args()
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    plane = ControlPlane("somebodys", hurry=options.hurry)
    try:
        if options.without_kruise:
            plane.start()
        else:
            plane.start(first=definitions("v1beta1", "v1alpha1"))
            plane.start_stand_in()
        add_nodes(plane, options.nodes)
        shutil.copy(plane.kubeconfig(), options.kubeconfig)
        print("ready", flush=True)  # noqa: T201 what it is for
        stopping.wait()
    finally:
        plane.stop()


if __name__ == "__main__":
    main()
