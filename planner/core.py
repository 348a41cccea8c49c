"""The one door to the compiled core: no other module imports `planner._core`."""

from planner._core import (  # noqa: TID251 this is the door
    BUILD_PROFILE,
    CODEC,
    Batch,
    Feed,
    Fleet,
    Intake,
    Plan,
    Pods,
    checkpoint,
    diff,
    fold,
    images,
    plan,
    redact,
    status,
)

__all__ = [
    "BUILD_PROFILE",
    "CODEC",
    "Batch",
    "Feed",
    "Fleet",
    "Intake",
    "Plan",
    "Pods",
    "checkpoint",
    "diff",
    "fold",
    "images",
    "plan",
    "redact",
    "status",
]
