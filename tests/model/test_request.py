"""A request is read as it was meant, or refused in one line that says what to write."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import RequestError
from planner.model.amend import amended
from planner.model.check import names_problems
from planner.model.published import SCHEMAS
from planner.model.request import UpgradeRequest, canonical_json, load_request
from planner.model.scalars import duration_ms, percent

EXAMPLE = Path(__file__).parents[2] / "examples/shop/request.yaml"

REQUEST = """\
apiVersion: planner/v1
kind: UpgradeRequest
metadata: {name: double-11}
spec:
  target:
    images:
      - {from: registry.example.com/cart, to: registry.example.com/cart:1.2.0}
      - {workload: {kind: CloneSet, namespace: trade, name: order}, container: main, to: o:1.2.0}
    sidecars:
      - {sidecarSet: mesh-proxy, container: mesh-proxy, to: mesh-proxy:1.22.0}
    manifests: [desired/*.yaml]
  dependencies:
    - {workload: {namespace: trade, name: checkout}, after: [{namespace: trade, name: payment}]}
  budgets:
    - {name: storefront, selector: {matchLabels: {team: storefront}}, maxUnavailable: "5%"}
    - {name: per-node, scope: node, maxUnavailable: 2}
  stages:
    - {name: canary, perWorkload: 1, soak: 10m, approval: required}
    - {name: rest, perWorkload: 100%}
  exclude:
    - selector: {matchExpressions: [{key: team, operator: In, values: [data]}]}
"""
DEPLOYMENT = b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"


def no_files(_pattern: str) -> Iterable[tuple[str, bytes]]:
    return ()


def one_deployment(pattern: str) -> Iterable[tuple[str, bytes]]:
    assert pattern == "desired/*.yaml"
    return [("desired/web.yaml", DEPLOYMENT)]


def load(text: str) -> UpgradeRequest:
    return load_request(text.encode(), "request.yaml", one_deployment)


def changed(before: str, after: str) -> str:
    assert before in REQUEST
    return REQUEST.replace(before, after, 1)


def refusal(text: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        load(text)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 64
    return caught.value


def test_a_request_says_what_was_written() -> None:
    request = load(REQUEST)

    cart, order = request.spec.target.images
    assert (cart.from_, cart.to) == ("registry.example.com/cart", "registry.example.com/cart:1.2.0")
    assert str(order.workload) == "trade/CloneSet/order"
    assert request.spec.target.manifests[0]["metadata"] == {"name": "web", "namespace": "shop"}
    assert [budget.scope for budget in request.spec.budgets] == ["fleet", "node"]
    assert [stage.soak for stage in request.spec.stages] == ["10m", "0s"]
    assert request.spec.dependencies[0].ready == "100%"


def test_canonical_json_is_the_same_however_a_request_is_written() -> None:
    longer = changed("scope: node,", "maxUnavailable: 2, scope: node, selector: null,")
    longer = longer.replace("{name: storefront,", "{name: storefront, scope: fleet,")
    longer = longer.replace("storefront}}", "storefront}, matchExpressions: []}")
    longer = longer.replace("scope: node, selector: null, maxUnavailable: 2", "scope: node")
    longer = longer.replace("payment}]}", 'payment}], ready: "100%"}')
    longer = longer.replace("100%}", "100%, soak: 0s}")
    assert longer != REQUEST

    assert canonical_json(load(longer)) == canonical_json(load(REQUEST))
    assert b'"ready"' not in canonical_json(load(longer))


def test_canonical_json_reads_back_without_its_files() -> None:
    request = load(REQUEST)

    written = canonical_json(request)

    assert load_request(written, "plan", no_files) == request
    assert json.loads(written)["spec"]["target"]["images"][0]["from"] == "registry.example.com/cart"


def test_a_mistake_in_json_is_named_with_its_line() -> None:
    raw = json.loads(canonical_json(load(REQUEST)))
    raw["spec"]["stages"][0]["soak"] = "10 min"
    text = json.dumps(raw, indent=1)
    line = 1 + text[: text.index("10 min")].count("\n")

    with pytest.raises(RequestError) as caught:
        load_request(text.encode(), "request.json", no_files)

    assert (caught.value.line, caught.value.path) == (line, "spec.stages[0].soak")


def test_the_example_is_a_request() -> None:
    request = load_request(EXAMPLE.read_bytes(), "request.yaml", no_files)

    assert len(request.spec.target.images) > 30


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "maxUnavailable: 2",
            "maxUnavailible: 2",
            "request.yaml:16: spec.budgets[1].maxUnavailible: unknown key; did you mean maxUn",
        ),
        ("scope: node", "scop: node", "Known keys: maxUnavailable, name, scope, selector"),
        ("spec:\n", "Spec:\n", "request.yaml:4: Spec: unknown key; did you mean spec?"),
        ("matchLabels:", "matchlabels:", "selector.matchlabels: unknown key; did you mean match"),
        ("namespace: trade, name: pay", "nameSpace: trade, name: pay", "did you mean namespace?"),
        (", maxUnavailable: 2", "", "spec.budgets[1]: the key maxUnavailable is missing"),
        ("scope: node", "scope: nodes", '"nodes" is not known; did you mean node?'),
        ("kind: CloneSet", "kind: Cloneset", '"Cloneset" is not known; did you mean CloneSet?'),
        ("planner/v1", "planner/v2", '"planner/v2" is not known; did you mean planner/v1?'),
        ("required", "true", "true is not known; did you mean required?"),
        ("team: storefront", "team: 5", "matchLabels.team: expected text, got 5; put it in quotes"),
        ('"5%"', '"5"', '"5" is text; write 5 without quotes, or a percentage like 5%'),
        ('"5%"', "5.5%", "'5.5%' is no percentage; write a whole number from 0% to 100%"),
        ('"5%"', "101%", "'101%' is no percentage"),
        ('"5%"', "0.5", "got 0.5; write a whole number, or a percentage like 5%"),
        ("maxUnavailable: 2", "maxUnavailable: -2", "expected `int` >= 0"),
        ("10m", "10 min", "spec.stages[0].soak: '10 min' is no duration; write it like 10m"),
        ("name: rest", "name: canary", "stages[1]: has the name that stages[0] has already"),
        ("name: per-node", "name: storefront", "budgets[1]: has the name that budgets[0] has"),
        ("perWorkload: 1,", "perWorkload: 0,", "is nothing; write at least 1"),
        ("cart:1.2.0", "cart", "registry.example.com/cart has no tag or digest; write an image"),
        ("cart:1.2.0", "cart@sha256:12", "@sha256:12 is no tag or digest"),
        ("cart, to", "cart:1.0.0, to", "without a tag or digest; write registry.example.com/cart"),
        ("container: main, ", "", "give either from (a repository), or workload and container"),
        ("from:", "container: main, from:", "give either from (a repository), or workload and"),
        ("{namespace: trade, name: pay", "{namespace: trade, name: checkout}, {x: ", "unknown key"),
        (
            "name: payment",
            "kind: CloneSet, name: checkout",
            "trade/checkout cannot wait for itself",
        ),
        ("[{namespace: trade, name: payment}]", "[]", "after: expected `array` of length >= 1"),
        ("operator: In", "operator: Exists", "Exists takes no values; leave them out"),
        ("values: [data]", "values: []", "In needs values"),
        ("values: [data]", "values: [a/b]", "'a/b' is no label value"),
        ("key: team", "key: -team", "'-team' is no label key"),
        ("{matchExpressions: [{key: team, operator: In, values: [data]}]}", "{}", "matches every"),
        ("desired/*.yaml", "desired/*.yaml, desired/*.yaml", "already in desired/web.yaml:1"),
        ("desired/*.yaml", "{kind: Service, metadata: {}}", "Service is no workload; known are"),
        ("metadata: {name: double-11}", "metadata: {name: a, name: b}", "'name' is there twice"),
        ("metadata: {name: double-11}", "metadata: []", "metadata: expected `object`, got `array`"),
        ("kind: UpgradeRequest", "kind: UpgradeRequest\n---\na: 1\n---", "has 3 documents"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(before: str, after: str, says: str) -> None:
    assert says in str(refusal(changed(before, after)))


@pytest.mark.parametrize(
    ("drain", "says"),
    [
        ("{}", "spec.target.drain[0]: give either name (of a node) or selector"),
        ("{name: a, selector: {matchLabels: {a: b}}}", "drain[0]: give either name (of a node)"),
        ("{selector: {}}", "drain[0].selector: matches every node, and no pod would have a place"),
        ("{selector: {matchLabels: {a b: c}}}", "selector.matchLabels.a b: 'a b' is no label"),
        (
            "{name: a, deleteEmptyDir: true}",
            "deleteEmptyDir: unknown key; did you mean deleteEmptyDirData",
        ),
    ],
)
def test_a_drain_names_nodes_in_one_way(drain: str, says: str) -> None:
    assert says in str(refusal(changed("    images:", f"    drain: [{drain}]\n    images:")))


GANG = "{name: groups, labelKey: leaderworkerset.sigs.k8s.io/group-key}"


@pytest.mark.parametrize(
    ("gangs", "says"),
    [
        ("[{name: groups}]", "spec.gangs[0]: the key labelKey is missing"),
        ("[{name: groups, labelKey: a b}]", "spec.gangs[0].labelKey: 'a b' is no label key"),
        ("[{name: groups, label: a}]", "spec.gangs[0].label: unknown key; did you mean labelKey?"),
        (f"[{GANG}, {GANG}]", "spec.gangs[1]: has the name that gangs[0] has already"),
        (
            "[{name: groups, labelKey: a, selector: {matchLabels: {a b: c}}}]",
            "gangs[0].selector.matchLabels.a b: 'a b' is no label key",
        ),
        (
            f"[{GANG}]\n  streaming: true",
            "spec.gangs: go together in a wave, and streaming waits for none; leave one of both",
        ),
    ],
)
def test_gangs_are_told_by_a_label_and_go_in_waves(gangs: str, says: str) -> None:
    assert says in str(refusal(changed("spec:\n", f"spec:\n  gangs: {gangs}\n")))


def test_gangs_are_read_written_and_amended() -> None:
    text = changed("spec:\n", f"spec:\n  gangs: [{GANG}]\n")
    request = load(text)
    (gang,) = request.spec.gangs
    assert (gang.name, gang.selector) == ("groups", None)
    assert gang.label_key == "leaderworkerset.sigs.k8s.io/group-key"
    written = json.loads(canonical_json(load(text.replace("manifests: [desired/*.yaml]", ""))))
    assert written["spec"]["gangs"] == [{"name": "groups", "labelKey": gang.label_key}]
    assert not amended(written, (), ["gangs.groups"]).spec.gangs
    (other,) = amended(written, [("gangs.groups.labelKey", "zone")]).spec.gangs
    assert other.label_key == "zone"


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match=r"manifests\[0\]: no file matches desired/\*\.yaml"):
        load_request(REQUEST.encode(), "request.yaml", no_files)


def test_a_stage_that_ends_before_the_one_before_it_is_refused() -> None:
    stages = "[{name: a, perWorkload: 10%}, {name: b, perWorkload: 7}, {name: c, perWorkload: 5}]"
    text = REQUEST[: REQUEST.index("  stages:")] + f"  stages: {stages}\n"

    assert "stages[2].perWorkload: 5 is less than the 7 of stage b" in str(refusal(text))
    assert load(text.replace("perWorkload: 5", "perWorkload: 5%"))
    text = text.replace("perWorkload: 7", "perWorkload: 9%")
    assert "stages[1].perWorkload: 9% is less than the 10% of stage a" in str(refusal(text))


PLAIN: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "5%", "1m", "node", "a:b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "spec", "kind", "to", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(data=st.data(), value=PLAIN)
def test_any_value_anywhere_is_read_or_refused(data: st.DataObject, value: Any) -> None:  # noqa: ANN401
    raw = json.loads(canonical_json(load(REQUEST)))
    place = raw
    while True:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    try:
        request = load_request(json.dumps(raw).encode(), "request", no_files)
    except RequestError:
        return
    assert load_request(canonical_json(request), "again", no_files) == request


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("10m", 600_000), ("1h30m", 5_400_000), ("45s", 45_000), ("500ms", 500), ("0s", 0)],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, milliseconds: int) -> None:
    assert duration_ms(text) == milliseconds


@pytest.mark.parametrize(
    "text", ["", "10", "1.5h", "30m1h", "-1s", "1m1m", "9999h", "9" * 99 + "s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no duration|longer than a year"):
        duration_ms(text)


def test_percentages_go_from_0_to_100() -> None:
    assert [percent(f"{n}%") for n in (0, 1, 99, 100)] == [0, 1, 99, 100]
    for text in ("101%", "-1%", "05%", "5", "%", "5 %", "\u0665%"):
        with pytest.raises(ValueError, match="percentage"):
            percent(text)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_json_with_a_version(name: str) -> None:
    schema = SCHEMAS[name]()

    assert schema["$id"] == f"planner/v1/{name}"
    assert msgspec.json.decode(msgspec.json.encode(schema)) == schema


def test_the_request_schema_has_no_room_for_unknown_keys() -> None:
    parts = SCHEMAS["request"]()["$defs"]

    assert all(part["additionalProperties"] is False for part in parts.values())
    assert {"type": "string"} in parts["Target"]["properties"]["manifests"]["items"]["anyOf"]


class Counted(str):
    """A name that counts how often it is compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_the_names_of_a_fleet_are_not_compared_each_with_each() -> None:
    names = [Counted(f"budget-{number}") for number in range(2_000)]

    found = list(names_problems([*names, Counted("budget-7")], ("budgets",)))

    assert found == [
        (("budgets", 2_000), "has the name that budgets[7] has already; leave one out")
    ]
    assert Counted.compared < 4 * len(names)
