"""The JSON Schemas that `planner schema` prints."""

from collections.abc import Callable
from inspect import cleandoc
from typing import Any, Final

import msgspec

from planner.model.bottlenecks import Bottlenecks
from planner.model.eta import Eta
from planner.model.lint import Lint
from planner.model.plan import Move, PlanHeader, Report
from planner.model.plan_diff import PlanDiff
from planner.model.progress import Progress
from planner.model.request import UpgradeRequest
from planner.model.runs import Runs
from planner.model.simulation import Simulation
from planner.model.way_back import WayBack

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def request_schema() -> dict[str, Any]:
    """Describe a request file."""
    schema = _schema("request", UpgradeRequest)
    manifests = schema["$defs"]["Target"]["properties"]["manifests"]
    # In a file, and only there, a manifest may be a pattern of other files.
    manifests["items"] = {"anyOf": [{"type": "string"}, {"type": "object"}]}
    return schema


def plan_schema() -> dict[str, Any]:
    """Describe the header of a plan, as `planner show PLAN -o json` prints it."""
    return _schema("plan", PlanHeader)


def move_schema() -> dict[str, Any]:
    """Describe a line of `planner show PLAN -o jsonl`."""
    return _schema("move", Move)


def plan_diff_schema() -> dict[str, Any]:
    """Describe what `planner plan-diff A B --format json` prints."""
    return _schema("plan-diff", PlanDiff)


def bottlenecks_schema() -> dict[str, Any]:
    """Describe what `planner bottlenecks PLAN --format json` prints."""
    return _schema("bottlenecks", Bottlenecks)


def eta_schema() -> dict[str, Any]:
    """Describe what `planner eta PLAN --format json` prints."""
    return _schema("eta", Eta)


def way_back_schema() -> dict[str, Any]:
    """Describe what `planner way-back PLAN --format json` prints."""
    return _schema("way-back", WayBack)


def lint_schema() -> dict[str, Any]:
    """Describe what `planner lint --format json` prints."""
    return _schema("lint", Lint)


def report_schema() -> dict[str, Any]:
    """Describe what `planner verify PLAN --format json` prints."""
    return _schema("report", Report)


def simulation_schema() -> dict[str, Any]:
    """Describe what `planner simulate PLAN --format json` prints."""
    return _schema("simulation", Simulation)


def runs_schema() -> dict[str, Any]:
    """Describe what `planner runs --format json` prints."""
    return _schema("runs", Runs)


def progress_schema() -> dict[str, Any]:
    """Describe a line that `planner apply` and `planner rollback` print where they are piped."""
    return _schema("progress", Progress)


SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "request": request_schema,
    "plan": plan_schema,
    "move": move_schema,
    "plan-diff": plan_diff_schema,
    "bottlenecks": bottlenecks_schema,
    "eta": eta_schema,
    "way-back": way_back_schema,
    "lint": lint_schema,
    "report": report_schema,
    "simulation": simulation_schema,
    "runs": runs_schema,
    "progress": progress_schema,
}


def _schema(name: str, shape: Any) -> dict[str, Any]:  # noqa: ANN401 -- a type, or several
    (top,), parts = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    for part in parts.values():
        part["description"] = cleandoc(part["description"])
    schema = {"$schema": _DIALECT, "$id": f"planner/v1/{name}", **top, "$defs": parts}
    # Defaults come as tuples, which only JSON makes into arrays.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return plain
