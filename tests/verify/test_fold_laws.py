"""Laws of the fold: rows taken in together leave what they leave one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from planner.verify import fold_rows
from tests.verify.builders import App, Row, row

APP = App(pods=4)
VERSIONS = st.integers(100, 112)


@st.composite
def told(draw: st.DrawFn) -> Row:
    """A row of pods, or one of another cluster, which ends what is taken in together."""
    version = draw(VERSIONS)
    match draw(st.sampled_from(["observed"] * 5 + ["gone", "gone", "begun", "completed", "else"])):
        case "observed":
            node = draw(st.sampled_from("abc"))
            return {
                **APP.pod_row(draw(st.integers(0, 3))),
                "resource_version": version,
                "node": node,
            }
        case "gone":
            uid = APP.pod_uid(draw(st.integers(0, 3)))
            return row("hangzhou", "gone", "pods", uid=uid, resource_version=version)
        case "begun" | "completed" as event:
            return row("hangzhou", f"list_{event}", "pods", resource_version=version)
    return row("shanghai", "time_passed", "pods")


@dataclass
class OneByOne:
    """What is known of the pods of a cluster while rows are taken in one after the other."""

    there: dict[str, tuple[int, Row]] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    mentioned: set[str] | None = None

    def take(self, each: Row) -> None:
        uid, version = each["uid"], each["resource_version"]
        match each["event"]:
            case "observed":
                if self.mentioned is not None:
                    self.mentioned.add(uid)
                is_newer = uid not in self.there or version >= self.there[uid][0]
                if is_newer and version > self.gone.get(uid, -1):
                    self.there[uid] = version, each
            case "gone":
                if uid not in self.there or self.there[uid][0] <= version:
                    self.there.pop(uid, None)
                    self.gone[uid] = version
            case "list_begun":
                self.mentioned = set()
            case "list_completed":
                self.complete(version)

    def complete(self, version: int) -> None:
        for other in set() if self.mentioned is None else set(self.there) - self.mentioned:
            if self.there[other][0] <= version:
                self.gone[other], _ = self.there.pop(other)
        self.mentioned = None


@given(st.lists(told(), max_size=25))
def test_rows_together_leave_what_they_leave_one_by_one(rows: list[Row]) -> None:
    expected = OneByOne()
    for each in rows:
        if each["cluster"] == "hangzhou":
            expected.take(each)
    found = fold_rows(rows)
    assert [(pod.uid, pod.name, pod.node) for pod in found.table] == [
        (uid, each["name"], each["node"]) for uid, (_, each) in expected.there.items()
    ]
    for index, pod in enumerate(found.table):
        (place,) = found.table.rows_of("hangzhou", found.table.uids[index : index + 1])
        assert found.table[int(place)] is pod
