"""Peers beside the planner: each solves a problem in a process and an environment of its own.

Their libraries are no dependencies of the project: uv installs them, locked, where it keeps what
it has downloaded. Without a network those peers are left out.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.peers.problem import Problem, length, violations, write

_ROOT = Path(__file__).parents[1]
_REQUIREMENTS = _ROOT / "benches" / "peers" / "requirements.txt"
SCRIPTS = ("layers", "tails")
"""Peers that need networkx only."""
SOLVERS = ("cpsat", "jobshop")
"""Peers that bring libraries of their own."""
PROVERS = ("middle", "lp", "shares")
"""Peers that schedule as `tails` does, and prove bounds of their own, with the same libraries."""
_GRACE_S = 120
"""What a solver may take beyond its time, to start and to write what it found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a peer.

    Attributes:
        waves: None without a schedule that holds; then `why` says why not.
        bound: what it proved to be the fewest possible, 0 for nothing.
    """

    waves: int | None = None
    bound: int = 0
    seconds: float = 0.0
    why: str = ""


def missing() -> str | None:
    """Why solvers cannot be used here, in one line; None when they can."""
    try:
        done = _run([*_command("cpsat"), "-c", "import ortools, pyjobshop"], None)
    except FileNotFoundError:
        return "there is no uv"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["uv failed"])[-1].strip()
        return f"uv could not install {_REQUIREMENTS.relative_to(_ROOT)}: {last}"
    return None


def ask(peer: str, problem: Problem, seconds: float) -> Told:
    """Give a problem to a peer, and check what it answers.

    Args:
        peer: one of `SCRIPTS`, which take the time that they take, of `SOLVERS` or `PROVERS`.
        problem: the same for all.
        seconds: that a solver or a prover may take.
    """
    with TemporaryDirectory() as directory:
        posed, answer = Path(directory) / "problem.json", Path(directory) / "answer.json"
        write(problem, posed)
        arguments = [peer, str(posed), str(answer), "--seconds", str(seconds)]
        command = [*_command(peer), "-m", "benches.peers", *arguments]
        try:
            done = _run(command, None if peer in SCRIPTS else seconds + _GRACE_S)
        except subprocess.TimeoutExpired:
            return Told(why=f"no answer in {seconds:g} s")
        if done.returncode or not answer.exists():
            last = (done.stderr.strip().splitlines() or [f"signal {-done.returncode}"])[-1]
            return Told(why="out of memory" if "alloc" in last or "Memory" in last else last)
        return judged(problem, json.loads(answer.read_text()), seconds)


def judged(problem: Problem, told: dict[str, object], seconds: float) -> Told:
    """What a written answer is worth: nothing if it breaks a rule."""
    answer, took = told["answer"], told["seconds"]
    assert isinstance(took, float)
    if not isinstance(answer, dict):
        return Told(seconds=took, why=f"no schedule in {seconds:g} s")
    wrong = next(violations(problem, answer["waves"]), None)
    if wrong is not None:
        return Told(seconds=took, why=f"breaks a rule: {wrong}")
    return Told(waves=length(answer["waves"]), bound=answer["bound"], seconds=took)


def _command(peer: str) -> list[str]:
    """The interpreter of a peer's environment."""
    if peer in SCRIPTS:
        return [sys.executable]
    uv = shutil.which("uv", path=Path(sys.executable).parent) or "uv"
    libraries = ["--with-requirements", str(_REQUIREMENTS), "--python", sys.executable]
    return [uv, "run", "--no-project", "--isolated", *libraries, "--", "python"]


def _run(command: Sequence[str], timeout_s: float | None) -> subprocess.CompletedProcess[str]:
    """Run a command; what it started ends with it.

    Raises:
        subprocess.TimeoutExpired: it took longer.
    """
    with subprocess.Popen(  # noqa: S603 our own program
        command,
        cwd=_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _, told = process.communicate(timeout=timeout_s)
        except BaseException:  # Whoever stops the bench stops the peer, which has its own session.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, "", told)
