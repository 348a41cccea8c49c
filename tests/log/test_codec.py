"""Old payloads are lifted step by step; unknown ones are named."""

import pytest

from planner.errors import CodecError
from planner.log import Commit, EventLog, NewCommit, Stream
from planner.log.codec import NO_UPCASTS, Step, Upcasters

MARKS = Upcasters(
    current=frozenset({"marks/2"}),
    steps={
        "marks/0": Step("marks/1", lambda payload: payload + b",1"),
        "marks/1": Step("marks/2", lambda payload: payload + b",2"),
    },
)


def planted(log: EventLog, codec: str) -> Commit:
    batch = NewCommit(codec=codec, payload=b"0", events=1, author="an older planner")
    log.append(Stream("cluster", "hangzhou"), [batch], expected_version=None)
    return list(log.read())[-1]


def test_old_payload_takes_every_step_to_the_present(log: EventLog) -> None:
    lifted = [MARKS.upcast(planted(log, codec)) for codec in ("marks/0", "marks/1", "marks/2")]
    assert [each.payload for each in lifted] == [b"0,1,2", b"0,2", b"0"]
    assert {each.codec for each in lifted} == {"marks/2"}


def test_upcasting_leaves_the_log_as_it_is(log: EventLog) -> None:
    MARKS.upcast(planted(log, "marks/0"))
    assert [(each.codec, each.payload) for each in log.read()] == [("marks/0", b"0")]
    log.verify()


def test_unknown_codec_is_named_with_position_and_remedy(log: EventLog) -> None:
    planted(log, "observations/1")
    commit = planted(log, "observations/9")
    with pytest.raises(
        CodecError, match=r"position 2 .*observations/9.*upgrade the planner"
    ) as caught:
        NO_UPCASTS.upcast(commit)
    assert caught.value.exit_code == 1


def test_steps_that_lead_nowhere_are_refused() -> None:
    with pytest.raises(CodecError, match="the steps from codec marks/0 end at marks/1"):
        Upcasters(current=frozenset({"marks/2"}), steps={"marks/0": Step("marks/1", bytes)})


def test_steps_in_a_circle_are_refused() -> None:
    with pytest.raises(CodecError, match="marks/0"):
        Upcasters(
            current=frozenset({"marks/2"}),
            steps={"marks/0": Step("marks/1", bytes), "marks/1": Step("marks/0", bytes)},
        )
