"""A real Kubernetes control plane on loopback: etcd, API server, controllers, scheduler, kwok."""

import base64
import json
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

from tests.controlplane.api import Api, RefusedError
from tests.controlplane.binaries import binaries
from tests.controlplane.ports import free_ports
from tests.controlplane.process import Process
from tests.controlplane.wait import until

STAGES = Path(__file__).parent / "stages.yaml"
ROOT = Path(__file__).parents[2]
STAND_IN = "standin"
ADMIN = "admin"
OBSERVER = "observer"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
# Workloads and pods need no identity here, and kwok's nodes have no kubelet that asks for one.
OFF = "ServiceAccount,DefaultStorageClass"
SERVERS = ("etcd", "kube-apiserver")
CLIENTS = ("kube-controller-manager", "kube-scheduler", "kwok")
CONTROLLERS = "*,-node-ipam-controller,-cloud-node-lifecycle-controller"
AUDIT = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""
FAST = ("--kube-api-qps=2000", "--kube-api-burst=4000")


class ControlPlane:
    """A control plane in a folder of its own; `stop` ends its processes and forgets it.

    With a `hurry` of 10, say, pods start, restart and end ten times as fast. `gates` are
    feature gates of the API server and the controllers that are to be on. With `audited` the API
    server writes a line about each request into `audit_log`.
    """

    def __init__(
        self, name: str, *, hurry: int = 1, gates: Sequence[str] = (), audited: bool = False
    ) -> None:
        self.name = name
        self._gates = [f"--feature-gates={gate}=true" for gate in gates]
        self._audited = audited
        self.folder = Path(tempfile.mkdtemp(prefix=f"planner-controlplane-{name}-"))
        self.port, self._etcd, self._peer, *self._others = free_ports(6)
        self._tokens = {user: secrets.token_hex(16) for user in (ADMIN, OBSERVER)}
        self._processes: dict[str, Process] = {}
        self._stages = self.folder / "stages.yaml"
        self._stages.write_text(_hurried(STAGES.read_text(), hurry))
        self._stopping = Event()
        self._supervisor = Thread(target=self._supervise, daemon=True)

    @property
    def audit_log(self) -> Path:
        """What the API server was asked, one line of JSON each."""
        return self.folder / "audit.jsonl"

    @property
    def admin(self) -> Api:
        """The API as somebody who may do everything."""
        return self.api(ADMIN)

    def api(self, user: str, *, port: int | None = None) -> Api:
        """The API as a user, perhaps through a proxy."""
        return Api(
            port=port or self.port, token=self._tokens[user], certificate=self._certificate()
        )

    def start(self, *, first: Iterable[tuple[str, dict[str, Any]]] = ()) -> None:
        """Start everything and wait until nodes would be made ready.

        Args:
            first: path and manifest of what has to be there before the controllers look: of a
                kind that is defined later they learn half a minute later.
        """
        self._write_identities()
        tools = binaries()
        for name, options in self._commands().items():
            command = [str(tools / name), *options]
            self._processes[name] = Process(name, command, folder=self.folder)
        self.start_process("etcd")
        until("etcd answers", lambda: self._etcd_answers() or self._check())
        self.start_process("kube-apiserver")
        self.wait_ready()
        for path, manifest in first:
            self.admin.apply(path, manifest)
        for name in CLIENTS:
            self.start_process(name)
        self._supervisor.start()

    def start_stand_in(self) -> None:
        """Start the controllers that stand in for OpenKruise's; stopped like one of the five."""
        options = ["-m", "tests.controlplane.standin", "--kubeconfig", str(self.kubeconfig())]
        command = [sys.executable, *options]
        self._processes[STAND_IN] = Process(STAND_IN, command, folder=self.folder, place=ROOT)
        self.start_process(STAND_IN)

    def stop(self) -> None:
        """Stop every process, the last one first."""
        self._stopping.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        for process in reversed(list(self._processes.values())):
            # Nothing of it is kept, so nobody waits until it has said farewell.
            process.stop(signal.SIGKILL)
        shutil.rmtree(self.folder)

    def has_process(self, name: str) -> bool:
        """Whether it was started once, and so can be started again."""
        return name in self._processes

    def start_process(self, name: str) -> None:
        """Start one of the five, or the stand-in again."""
        self._processes[name].start()

    def stop_process(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop one of the five."""
        self._processes[name].stop(number)

    def restart_api_server(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop the API server, start it again and wait until it is ready."""
        self.stop_process("kube-apiserver", number)
        self.start_process("kube-apiserver")
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until the API server answers and has read what it keeps."""
        until("the API server is ready", lambda: self._is_ready() or self._check())

    def forget_history(self) -> None:
        """Let neither etcd nor the API server's cache know any version but the newest.

        The cache of the API server is longer than any test, so that it has to begin anew.
        """
        head = self._ask_etcd("/v3/kv/range", {"key": _key("/"), "range_end": _key("\0")})
        self._ask_etcd(
            "/v3/kv/compaction", {"revision": head["header"]["revision"], "physical": True}
        )
        self.restart_api_server(signal.SIGKILL)

    def lose_node(self, name: str) -> None:
        """Nobody hears of a node's kubelet any more, as the node controller notices after 40 s.

        kwok plays the kubelets whose leases it holds, so the lease goes to somebody else.
        """
        nobody = {"holderIdentity": "nobody", "leaseDurationSeconds": 86_400}
        self.admin.patch(f"{LEASES}/{name}", {"spec": nobody})

    def find_node(self, name: str) -> None:
        """The kubelet of a lost node is back, and tells how its pods are."""
        admin = self.admin
        admin.delete(f"{LEASES}/{name}")
        for pod in admin.get(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}")["items"]:
            place = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods"
            ready = {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady"}
            admin.merge(
                f"{place}/{pod['metadata']['name']}/status", {"status": {"conditions": [ready]}}
            )

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as somebody who may do everything."""
        done = subprocess.run(
            [binaries() / "kubectl", "--kubeconfig", self.kubeconfig(), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def kubeconfig(self, user: str = ADMIN, *, port: int | None = None) -> Path:
        """Write a kubeconfig whose only context has the name of the control plane."""
        port = port or self.port
        certificate = base64.b64encode(self._certificate().read_bytes()).decode()
        server = {
            "server": f"https://127.0.0.1:{port}",
            "certificate-authority-data": certificate,
        }
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": self.name, "cluster": server}],
            "users": [{"name": user, "user": {"token": self._tokens[user]}}],
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": user}}],
            "current-context": self.name,
        }
        path = self.folder / f"kubeconfig-{user}-{port}"
        path.write_text(json.dumps(document))
        return path

    def _supervise(self) -> None:
        """Start what gives up without its API server, as the scheduler does now and then."""
        while not self._stopping.wait(0.5):
            for process in list(self._processes.values()):
                if process.name not in SERVERS:
                    process.revive()

    def _certificate(self) -> Path:
        return self.folder / "apiserver.crt"

    def _write_identities(self) -> None:
        for command in (
            ["genrsa", "-out", "sa.key", "2048"],
            ["rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub"],
        ):
            subprocess.run(
                ["openssl", *command],  # noqa: S607 whichever openssl there is
                cwd=self.folder,
                check=True,
                capture_output=True,
            )
        groups = {ADMIN: ",system:masters", OBSERVER: ""}
        lines = [f"{token},{user},{user}{groups[user]}" for user, token in self._tokens.items()]
        (self.folder / "tokens.csv").write_text("\n".join(lines))

    def _commands(self) -> dict[str, Sequence[str]]:
        folder = self.folder
        client = f"http://127.0.0.1:{self._etcd}"
        # The API server writes its certificate when it starts; the others trust that.
        late = folder / f"kubeconfig-{ADMIN}-{self.port}"
        controllers, scheduler, kwok = self._others
        return {
            "etcd": [
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls=http://127.0.0.1:{self._peer}",
                "--unsafe-no-fsync",
                "--log-level=warn",
            ],
            "kube-apiserver": [
                f"--etcd-servers={client}",
                f"--secure-port={self.port}",
                "--bind-address=127.0.0.1",
                f"--cert-dir={folder}",
                "--service-account-issuer=https://localhost",
                f"--service-account-key-file={folder / 'sa.pub'}",
                f"--service-account-signing-key-file={folder / 'sa.key'}",
                f"--token-auth-file={folder / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.0.0.0/16",
                "--max-requests-inflight=4000",
                "--max-mutating-requests-inflight=2000",
                f"--disable-admission-plugins={OFF}",
                *self._gates,
                *self._audit(),
            ],
            "kube-controller-manager": [
                f"--kubeconfig={late}",
                "--leader-elect=false",
                *FAST,
                f"--service-account-private-key-file={folder / 'sa.key'}",
                f"--controllers={CONTROLLERS}",
                "--node-monitor-grace-period=40s",
                f"--cert-dir={folder / 'controllers'}",
                "--bind-address=127.0.0.1",
                f"--secure-port={controllers}",
                *self._gates,
            ],
            "kube-scheduler": [
                f"--kubeconfig={late}",
                "--leader-elect=false",
                *FAST,
                f"--cert-dir={folder / 'scheduler'}",
                "--bind-address=127.0.0.1",
                f"--secure-port={scheduler}",
            ],
            "kwok": [
                f"--kubeconfig={late}",
                "--manage-all-nodes=true",
                "--node-lease-duration-seconds=20",
                f"--config={self._stages}",
                "--cidr=10.64.0.0/10",
                f"--server-address=127.0.0.1:{kwok}",
            ],
        }

    def _audit(self) -> Sequence[str]:
        if not self._audited:
            return ()
        policy = self.folder / "audit.yaml"
        policy.write_text(AUDIT)
        return (f"--audit-policy-file={policy}", f"--audit-log-path={self.audit_log}")

    def _check(self) -> bool:
        """Fail when a server has ended; clients may, for the supervisor starts them again."""
        for name in SERVERS:
            self._processes[name].check()
        return False

    def _etcd_answers(self) -> bool:
        try:
            return bool(self._ask_etcd("/v3/maintenance/status", {}))
        except OSError:
            return False

    def _is_ready(self) -> bool:
        if not self._certificate().exists():
            return False
        self.kubeconfig()
        try:
            return self.admin.raw("/readyz") == b"ok"
        except (OSError, RefusedError):
            return False

    def _ask_etcd(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 JSON
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._etcd}{path}", data=json.dumps(body).encode()
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 likewise
            return json.loads(answer.read())


def _hurried(stages: str, hurry: int) -> str:
    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) // hurry}"

    return re.sub(r"(urationMilliseconds: )(\d+)", shorter, stages)


def _key(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
