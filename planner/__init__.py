"""The fleet upgrade planner: from a recorded cluster to a plan that can be checked.

>>> import planner
>>> log = planner.Log.in_memory()
>>> done = log.import_recorded("shanghai", "examples/shop/shanghai")
>>> request = planner.load_request("examples/shop/request.yaml")
>>> plan = planner.plan(log, request)
>>> planner.verify(log, plan)
[]
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.api import (
        Log,
        Plan,
        bottlenecks,
        diff,
        eta,
        explain,
        lint,
        load_request,
        plan,
        plan_diff,
        simulate,
        status,
        verify,
        way_back,
        whatif,
    )
    from planner.errors import (
        ChainBrokenError,
        ClusterError,
        CodecError,
        ConflictError,
        DriftError,
        InfeasibleError,
        InputError,
        LeaseLostError,
        LogError,
        LogSchemaError,
        NotInPlanError,
        PlannerError,
        RequestError,
        RunError,
        UsageError,
    )
    from planner.live import Live, Policy, apply, dry_run, rollback
    from planner.verify import Violation

__all__ = [
    "ChainBrokenError",
    "ClusterError",
    "CodecError",
    "ConflictError",
    "DriftError",
    "InfeasibleError",
    "InputError",
    "LeaseLostError",
    "Live",
    "Log",
    "LogError",
    "LogSchemaError",
    "NotInPlanError",
    "Plan",
    "PlannerError",
    "Policy",
    "RequestError",
    "RunError",
    "UsageError",
    "Violation",
    "apply",
    "bottlenecks",
    "diff",
    "dry_run",
    "eta",
    "explain",
    "lint",
    "load_request",
    "plan",
    "plan_diff",
    "rollback",
    "simulate",
    "status",
    "verify",
    "way_back",
    "whatif",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 whatever the name stands for
    """Import on first use: `planner --help` needs neither a database nor the compiled core."""
    if name not in __all__:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    for place in ("planner.errors", "planner.api", "planner.live", "planner.verify"):
        module = import_module(place)
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module 'planner' has no attribute {name!r}")


class _Package(ModuleType):
    """Keeps `planner.plan` and its like functions, whatever was imported before.

    Python binds a submodule to its package under its own name when it is first imported, and
    several of ours are called like what they do.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
