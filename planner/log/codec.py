"""Codecs of payloads, and the steps that lift old ones to the present.

A payload is never rewritten in the log. Whoever changes the form of a payload raises the version
of its codec and adds one step from the version before; reading takes as many steps as it needs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from planner.errors import CodecError
from planner.log.commit import Commit

CODECS: Final = frozenset({"observations/1", "request/1", "plan/1", "run/1", "lease/1"})

Change = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of upcasting: the codec that it gives and how it changes a payload."""

    codec: str
    change: Change


@dataclass(frozen=True, slots=True)
class Upcast:
    """A payload in a codec of the present."""

    codec: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcasters:
    """The codecs of the present, and for each old codec the step to the next version.

    Raises:
        CodecError: the steps from a codec do not lead to the present.
    """

    current: frozenset[str] = CODECS
    steps: Mapping[str, Step] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for begin in self.steps:
            codec = begin
            for _ in self.steps:
                if codec in self.current:
                    break
                codec = self.steps[codec].codec if codec in self.steps else codec
            if codec not in self.current:
                raise CodecError(f"the steps from codec {begin} end at {codec}; add the next step")

    def upcast(self, commit: Commit) -> Upcast:
        """Lift the payload of a commit to the present.

        Raises:
            CodecError: the codec is unknown, as when a newer planner wrote it.
        """
        codec, payload = commit.codec, commit.payload
        while codec not in self.current:
            if codec not in self.steps:
                raise CodecError(
                    f"position {commit.position_first} ({commit.stream}) holds codec {codec}, "
                    "which this planner does not know; upgrade the planner to the version that "
                    "wrote it"
                )
            step = self.steps[codec]
            codec, payload = step.codec, step.change(payload)
        return Upcast(codec, payload)


NO_UPCASTS: Final = Upcasters()
