"""The one door to the compiled core: no other module imports `planner._core`."""

import os

# The stages of a plan take memory and give it back, and its allocator would hand it to the kernel
# after 10 ms, which clears every page that it gives again (docs/decisions/0011). It is read when
# the core is loaded.
os.environ.setdefault("MIMALLOC_PURGE_DELAY", "10000")

from planner._core import (  # noqa: TID251 this is the door
    BUILD_PROFILE,
    CODEC,
    Batch,
    Bottlenecks,
    Feed,
    Fleet,
    Intake,
    Plan,
    Pods,
    Project,
    Schedule,
    checkpoint,
    compare,
    diff,
    eta,
    fold,
    images,
    lint,
    plan,
    redact,
    solve,
    status,
)

__all__ = [
    "BUILD_PROFILE",
    "CODEC",
    "Batch",
    "Bottlenecks",
    "Feed",
    "Fleet",
    "Intake",
    "Plan",
    "Pods",
    "Project",
    "Schedule",
    "checkpoint",
    "compare",
    "diff",
    "eta",
    "fold",
    "images",
    "lint",
    "plan",
    "redact",
    "solve",
    "status",
]
