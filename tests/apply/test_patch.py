"""A patch leads from one object to the other, and from no other object anywhere."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from planner.apply.levers.patch import guarded

Tree = Any
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text("a/~", max_size=3)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)
METADATA = {"uid": "1", "resourceVersion": "7"}


def applied(document: Tree, operations: list[Any]) -> Tree:
    """Apply a JSON patch (RFC 6902), as much of it as is written here."""
    document = deepcopy(document)
    for operation in operations:
        *path, last = (
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
        )
        at = document
        for part in path:
            at = at[int(part)] if isinstance(at, list) else at[part]
        key = int(last) if isinstance(at, list) else last
        match operation["op"]:
            case "test":
                assert at[key] == operation["value"]
            case "remove":
                del at[key]
            case _:
                at[key] = operation["value"]
    return document


@given(TREES, TREES)
def test_a_patch_leads_from_one_object_to_the_other(before: Tree, after: Tree) -> None:
    one, other = ({"metadata": METADATA, "spec": spec} for spec in (before, after))
    assert applied(one, guarded(one, other)) == other


@given(TREES)
def test_what_is_as_it_should_be_needs_no_patch(spec: Tree) -> None:
    thing = {"metadata": METADATA, "spec": spec}
    assert guarded(thing, deepcopy(thing)) == []


def test_every_patch_tests_who_and_which_version_it_changes() -> None:
    patch = guarded({"metadata": METADATA, "spec": 1}, {"metadata": METADATA, "spec": 2})
    assert patch[:2] == [
        {"op": "test", "path": "/metadata/uid", "value": "1"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
    ]
