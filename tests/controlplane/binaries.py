"""The binaries of a Kubernetes control plane, built once from the Go modules that go.mod names.

`python -m tests.controlplane.binaries` (which `make controlplane` calls) prints their folder.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

MODULE: Final = Path(__file__).parent
HOW_TO_GET_IT: Final = (
    "Go is not installed; get 1.21 or later (https://go.dev/dl), then `make controlplane`"
)
# Without these stamps the server calls itself v0.0.0-master and clients cannot parse that.
STAMPS: Final = {
    "k8s.io/component-base/version.gitVersion": "v1.36.3",
    "k8s.io/component-base/version.gitMajor": "1",
    "k8s.io/component-base/version.gitMinor": "36",
    "k8s.io/client-go/pkg/version.gitVersion": "v1.36.3",
}
LDFLAGS: Final = " ".join(("-s -w", *(f"-X {name}={value}" for name, value in STAMPS.items())))


def has_go() -> bool:
    """Whether the binaries are there or can be built."""
    return _folder().is_dir() or shutil.which("go") is not None


def binaries() -> Path:
    """Give the folder of kube-apiserver, etcd and so on; building them takes minutes."""
    folder = _folder()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_suffix(".lock")):
        if not folder.is_dir():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    subprocess.run(
        ["go", "install", "-mod=readonly", f"-ldflags={LDFLAGS}", "tool"],  # noqa: S607 whichever Go there is
        cwd=MODULE,
        env={**os.environ, "GOBIN": str(partial), "CGO_ENABLED": "0"},
        check=True,
    )
    # Its main package is the root of module go.etcd.io/etcd/server/v3.
    (partial / "server").rename(partial / "etcd")
    partial.rename(folder)


def _folder() -> Path:
    """Name the folder after what is built, so that another version never runs by mistake."""
    sources = [(MODULE / name).read_bytes() for name in ("go.mod", "go.sum")]
    name = sha256(b"\0".join((*sources, LDFLAGS.encode()))).hexdigest()[:16]
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "planner" / "controlplane" / name


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until no other process builds."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    if not has_go():
        raise SystemExit(HOW_TO_GET_IT)
    print(binaries())  # noqa: T201 what it is for
