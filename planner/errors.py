"""Every exception of the project.

```
PlannerError
└── ObservationError    observed rows that cannot be folded
```
"""


class PlannerError(Exception):
    """Something that the caller can remedy; the message names the thing and the remedy."""


class ObservationError(PlannerError):
    """Observed rows that cannot be folded into a fleet."""
