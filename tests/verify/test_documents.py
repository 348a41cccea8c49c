"""Documents are read when somebody asks, and say what their texts say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from planner.verify import fold_rows
from planner.verify.columns import Texts
from planner.verify.documents import Documents, read
from planner.verify.history import read_history
from planner.verify.uids import Uids
from tests.verify.builders import row

if TYPE_CHECKING:
    from collections.abc import Mapping

HELD = json.dumps({"replicas": 3})
PLAIN: list[dict[str, Any]] = [
    {"metadata": {"name": name, "annotations": None}, "spec": {"replicas": replicas}}
    for replicas, name in enumerate(("cart", "päyment", "web"))
]
WEB: dict[str, Any] = {
    "metadata": {"name": "web", "annotations": {"fleet-upgrade-planner/held": HELD}},
    "spec": {"replicas": 9},
}


class Spec(msgspec.Struct):
    replicas: int


class Some(msgspec.Struct):
    spec: Spec


def documents(whole: list[dict[str, Any]]) -> Documents:
    """In two parts, of which the last document of each was written first."""
    texts = [json.dumps(each, ensure_ascii=False) for each in whole]
    parts = [Texts.of(texts[:1][::-1]), Texts.of(texts[1:][::-1])]
    return Documents(Uids.of("abc"), parts, np.array([0, 2, 1], np.int64))


def replicas(of: Mapping[str, Mapping[str, Any]]) -> list[int]:
    return [each.spec.replicas for each in read(of, msgspec.json.Decoder(Some))]


def test_documents_of_several_parts_are_those_that_were_written() -> None:
    found = documents(PLAIN)
    assert list(found.values()) == PLAIN
    assert dict(found) == dict(zip("abc", PLAIN, strict=True))
    assert replicas(found) == replicas(dict(found)) == [0, 1, 2]


def test_one_that_a_run_holds_is_read_as_its_owner_wrote_it() -> None:
    found = documents([*PLAIN[:2], WEB])
    assert [each["spec"]["replicas"] for each in found.values()] == [0, 1, 3]
    assert found["c"]["spec"]["replicas"] == 3
    assert replicas(found) == [0, 1, 3]


@pytest.mark.parametrize("spec", [{}, {"data": {"spec": None}}, {"data": {}}])
def test_a_revision_without_a_template_has_none(spec: dict[str, Any]) -> None:
    owner = {"uid": "1", "controller": True}
    metadata = {"name": "web-1a", "ownerReferences": [{"uid": "2"}, owner]}
    template = {"spec": {"template": {"spec": {"hostNetwork": True}}}}
    rows = [
        row(
            "hangzhou",
            "observed",
            "controllerrevisions",
            uid=uid,
            resource_version=5,
            document=json.dumps({"metadata": metadata, **own}),
        )
        for uid, own in {"3": {"data": template}, "4": spec}.items()
    ]
    found = read_history(fold_rows(rows)).templates["hangzhou"]["1"]
    assert {name: json.loads(bytes(text)) for name, text in found.items()} == {
        "1a": template["spec"]["template"]
    }
