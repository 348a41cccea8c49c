"""Shows what the rates of a request cost a plan."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planner.show.table import plural


def rate_lines(header: Mapping[str, Any], duration: Callable[[float], str]) -> Iterator[str]:
    """Say of each rate that makes the plan longer by how much; `duration` writes seconds."""
    for rate in header.get("rates", ()):
        if rate["adds_s"]:
            yield f"{duration(rate['adds_s'])} of it because {_takes(rate)} ({rate['name']})"


def _takes(rate: Mapping[str, Any]) -> str:
    if "registry" not in rate:
        return f"{rate['cluster']} takes {plural(rate['writes_per_second'], 'write')} a second"
    by = f" by {rate['cluster']}" if rate["cluster"] else ""
    allowed = plural(rate["pulls_per_second"], "pull")
    return f"{rate['registry']} takes {allowed}{by} a second, and there are {rate['pulls']:,}"
