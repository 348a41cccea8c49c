"""What a request says of time is read as it was meant, or refused with what to write."""

from __future__ import annotations

import pytest

from planner.errors import RequestError
from planner.model.request import load_request

HEAD = """\
apiVersion: planner/v1
kind: UpgradeRequest
metadata: {name: nights}
spec:
  target: {images: [{from: cart, to: "cart:1.2.0"}]}
"""
NIGHT = '{rrule: "FREQ=DAILY;BYHOUR=22", duration: 6h, timeZone: Asia/Shanghai}'


def load(text: str) -> None:
    load_request((HEAD + text).encode(), "request.yaml", lambda _: ())


def window(spell: str) -> str:
    return f"  windows: [{{name: w, during: [{spell}]}}]"


def test_moments_need_no_quotes() -> None:
    load("  start: 2026-11-10T20:00:00+08:00\n  deadline: 2026-11-11T00:00:00Z\n" + window(NIGHT))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  start: 2026-11-10T20:00:00", "spec.start: '2026-11-10T20:00:00' does not say its zone"),
        ("  start: 2026-11-10T20:00:00.5Z", "has a part of a second; leave it out"),
        ("  start: tomorrow", "spec.start: 'tomorrow' is no moment"),
        (
            "  start: 2026-11-10T20:00:00Z\n  deadline: 2026-11-10T19:00:00Z",
            "spec.deadline: is not after the start",
        ),
        (window("{rrule: FREQ=DAILY}"), "spec.windows[0].during[0]: give either from and until"),
        (
            window("{from: 2026-11-10T20:00:00Z, until: 2026-11-10T20:00:00Z}"),
            "spec.windows[0].during[0].until: is not after",
        ),
        (window(NIGHT.replace("Asia/Shanghai", "Shanghai")), "is no time zone of the IANA"),
        (window(NIGHT.replace("6h", "0s")), "duration: is nothing"),
        (window(NIGHT.replace("DAILY", "SECONDLY")), "recurs SECONDLY: YEARLY, MONTHLY"),
        (window(NIGHT.replace("BYHOUR=22", "BYHOUR=25")), "is no recurrence rule"),
        (window(NIGHT.replace("BYHOUR=22", "INTERVAL=2")), "give that day as `starting`"),
        (window(NIGHT.replace("DAILY", "WEEKLY")), "does not say on which day; add BYDAY"),
        (window(NIGHT) + "\n  freezes: [{name: f, during: []}]", "spec.freezes[0].during"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str) -> None:
    with pytest.raises(RequestError) as refused:
        load(text)
    assert said in str(refused.value)
