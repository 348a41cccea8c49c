"""A run as people list it: the few things that tell one from another, and what it waits for."""

from datetime import UTC, datetime

from planner.apply.state import Run
from planner.model.runs import ListedRun, RunState


def listed(run_id: str, run: Run) -> ListedRun:
    """Tell a run in short."""
    state = _state(run)
    return ListedRun(
        run=run_id,
        state=state,
        began=datetime.fromtimestamp(run.began_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        plans=run.plans,
        wave=run.wave.number,
        moved=run.moved,
        failed=run.failed,
        writes=run.writes,
        why=run.stopped if state in ("stopped", "aborted") else "",
        held=run.held,
        fidelity=run.fidelity,
    )


def _state(run: Run) -> RunState:
    if run.outcome:
        return run.outcome
    if run.abort_asked:
        return "ending"
    if run.asked:
        return "approval"
    if run.paused:
        return "paused"
    # A stop at a gate is over with the approval, though no executor has come since.
    return "stopped" if run.stopped and run.stopped_by != "gate" else "open"
