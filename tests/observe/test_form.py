"""What is in a recorded text is told by its content, and every offset leads back to it."""

import json
from typing import Any

import pytest

from planner.errors import InputError
from planner.observe.form import sources_in
from planner.observe.source import Source

POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "cart-0"}}
NODE = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "node-0"}}
NODES = {"kind": "NodeList", "apiVersion": "v1", "items": [NODE]}
EVENT = {"type": "ADDED", "object": POD}


def read(text: str | bytes) -> list[Source]:
    return list(sources_in("file", text.encode() if isinstance(text, str) else text))


def refusal(text: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read(text)
    return caught.value


def pretty(*values: Any) -> str:  # noqa: ANN401 -- any JSON
    return "\n".join(json.dumps(value, indent=4) for value in values) + "\n"


def compact(*values: Any) -> str:  # noqa: ANN401 -- any JSON
    return "\n".join(json.dumps(value) for value in values) + "\n"


@pytest.mark.parametrize("write", [pretty, compact])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_watch_events_come_one_a_line_with_every_byte_in_place(write: Any, count: int) -> None:  # noqa: ANN401
    text = write(*[EVENT] * count)

    (source,) = read(text)

    assert source.form == "watch"
    assert [json.loads(line) for line in source.text.splitlines() if line] == [EVENT] * count
    for offset, byte in enumerate(source.text):
        if chr(byte) not in " \n":
            assert text[offset] == chr(byte)
    assert source.locate(17) == "byte 17"


@pytest.mark.parametrize("write", [pretty, compact])
def test_objects_one_after_the_other_are_a_list(write: Any) -> None:  # noqa: ANN401
    text = write(POD, NODE, POD)

    (source,) = read(text)

    assert source.form == "list"
    assert json.loads(source.text) == {
        "apiVersion": "v1",
        "kind": "List",
        "items": [POD, NODE, POD],
    }
    offset = source.text.index(b"node-0")
    assert source.locate(offset) == f"byte {text.index('node-0')}"


def test_lists_one_after_the_other_stay_lists() -> None:
    text = compact(NODES, POD, POD, NODES)

    sources = read("\ufeff" + text)

    values = [json.loads(source.text) for source in sources]
    assert [value["kind"] for value in values] == ["NodeList", "List", "NodeList"]
    last = sources[-1]
    assert last.relocated(InputError("text", 0, "odd")).offset == 3 + text.rindex('{"kind": "NodeL')


def test_a_list_of_an_api_server_is_known_by_its_head() -> None:
    head = '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":['
    for whole in (f"{head}]}}\n", f'{head}{{"metadata":{{}}}}]}}', f"{head}broken"):
        (source,) = read(whole)
        assert (source.text.decode(), source.form, source.shift) == (whole, "list", 0)
    one, other = read(f"{head}]}}\n{head}]}}\n")
    assert (one.form, other.form, other.shift) == ("list", "list", len(head) + 3)
    (event,) = read('{"type":"ADDED","object":{"kind":"PodList","apiVersion":"v1","items":[]}}')
    assert event.form == "watch"


def test_an_array_of_objects_is_a_list() -> None:
    (source,) = read(" " + json.dumps([POD, NODE]))

    assert json.loads(source.text)["items"] == [POD, NODE]
    assert source.locate(source.text.index(b"[")) == "byte 1"


def test_json_that_breaks_off_is_refused_where_it_does() -> None:
    text = compact(POD, NODE)[:-3]

    error = refusal(text)

    assert error.offset == len(text)
    assert "truncated" in str(error)


def test_yaml_list_leads_from_each_item_to_its_line() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n  metadata: {name: a}\n- kind: Node\n"

    (source,) = read(text)

    assert json.loads(source.text) == {
        "apiVersion": "v1",
        "kind": "List",
        "items": [{"kind": "Pod", "metadata": {"name": "a"}}, {"kind": "Node"}],
    }
    assert source.locate(source.text.index(b"Node")) == "line 6 (document 1)"
    assert source.locate(0) == "line 1 (document 1)"
    moved = source.relocated(InputError("text", source.text.index(b'"a"'), "odd name"))
    assert str(moved) == "file: line 4 (document 1): odd name"


def test_every_byte_of_a_yaml_item_leads_to_its_line() -> None:
    text = "kind: List\nitems:\n" + "".join(f"- kind: Pod\n  n: {n}\n" for n in range(20))

    (source,) = read(text)

    for n in range(20):
        start = source.text.index(b'{"kind":"Pod","n":%d}' % n)
        for offset in range(start, source.text.index(b"}", start) + 1):
            assert source.locate(offset) == f"line {3 + 2 * n} (document 1)"


def test_yaml_documents_are_grouped_like_json_values() -> None:
    text = "---\nkind: Pod\n---\n# nothing\n---\nkind: Node\n---\nkind: NodeList\nitems: []\n"

    one, other = read(text)

    assert json.loads(one.text)["items"] == [{"kind": "Pod"}, {"kind": "Node"}]
    assert one.locate(one.text.index(b"Node")) == "line 6 (document 3)"
    assert json.loads(other.text) == {"kind": "NodeList", "items": []}


def test_yaml_watch_events_are_watch_events() -> None:
    (source,) = read("type: ADDED\nobject: {kind: Pod}\n---\ntype: DELETED\nobject: {kind: Pod}\n")

    assert source.form == "watch"
    assert [json.loads(line)["type"] for line in source.text.splitlines()] == ["ADDED", "DELETED"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Error from server (Forbidden): pods is forbidden\n", "line 1: document 1 is no"),
        ("kind: Pod\n---\n- a\n", "line 3: document 2 is no Kubernetes object"),
        ("kind: Pod\nkind: Pod\n", "byte 10: line 2, column 1: the key 'kind' is there twice"),
        ("kind: Pod\nné: [\n}", "byte 17: line 3, column 1:"),
    ],
)
def test_yaml_that_is_no_object_is_refused_with_its_line(text: str, says: str) -> None:
    assert says in str(refusal(text))
