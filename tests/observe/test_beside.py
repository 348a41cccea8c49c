"""Manifests are found beside the request that names them."""

from pathlib import Path

import pytest

from planner.errors import RequestError
from planner.observe.beside import manifests_beside


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "desired").mkdir()
    for name in ("b.yaml", "a.yaml", "c.txt"):
        (tmp_path / "desired" / name).write_text(name)
    read = manifests_beside(tmp_path / "request.yaml")

    assert list(read("desired/*.yaml")) == [
        (str(tmp_path / "desired/a.yaml"), b"a.yaml"),
        (str(tmp_path / "desired/b.yaml"), b"b.yaml"),
    ]
    assert list(read("other/*.yaml")) == []


@pytest.mark.parametrize("pattern", ["/etc/*.yaml", ""])
def test_a_pattern_that_is_not_relative_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(RequestError, match="is no pattern relative to the request"):
        list(manifests_beside(tmp_path / "request.yaml")(pattern))
