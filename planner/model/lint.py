"""What of a request does nothing or blocks too much, as `planner lint` prints it."""

from typing import Literal

from planner.model.plan import ApiVersion
from planner.model.shape import Shape

Rule = Literal[
    "allows-nothing",
    "empty-stage",
    "excludes-nothing",
    "implied",
    "leaves-out",
    "matches-nothing",
    "never-binds",
    "rounds-to-nothing",
    "target",
    "waits-for-nothing",
    "waits-in-a-circle",
]


class Finding(Shape, frozen=True, kw_only=True):
    """One thing: where in the spec of the request, what is so, and what to write instead."""

    rule: Rule
    path: str
    message: str
    remedy: str


class Lint(Shape, frozen=True, kw_only=True):
    """What was found in a request for the fleet at a position of the log."""

    apiVersion: ApiVersion = "planner/v1"  # noqa: N815 -- Kubernetes' own spelling
    kind: Literal["Lint"] = "Lint"
    request: str
    position: int
    findings: tuple[Finding, ...]
