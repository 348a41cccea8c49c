"""What a run gives back when it ends, over all plans that it followed."""

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import core, loop
from planner.apply.checkpoint import Checkpoint, Question, SidecarStanding, Standing, ask
from planner.apply.course import Course, Place, place_of
from planner.apply.following import Following
from planner.apply.levers.held import HELD
from planner.apply.moveset import MoveSet
from planner.apply.parting import part
from planner.apply.tail import images_of, tail_request
from tests.shop import SALE_MS, SHOP, empty_log, request, shop_log, shop_plan
from tests.test_small_clusters import SIDECAR, clone_set, metadata, pod, rolling

ORDER = Place("hangzhou", "trade", "CloneSet", "order")
NAMES = st.sampled_from("abcde")


def standing(place: Place, behind: int) -> Standing:
    return Standing(
        place=place, unordered=False, replicas=9, pods=9, movable=0, behind=behind, old=behind,
        at_target=9 - behind, unsettled=0, examples=(),
    )  # fmt: skip


@given(st.sets(NAMES), st.dictionaries(NAMES, st.integers(0, 9)), st.sets(NAMES),
       st.dictionaries(NAMES, st.integers(0, 9)))  # fmt: skip
def test_only_what_has_nothing_left_to_change_is_given_back(
    moved: set[str], workloads: dict[str, int], changed: set[str], sets: dict[str, int]
) -> None:
    places = [Place("hz", "trade", "Deployment", name) for name in moved]
    sidecars = [Place("hz", "", "SidecarSet", name) for name in changed]
    checkpoint = Checkpoint(
        position=1,
        workloads=tuple(
            standing(Place("hz", "trade", "Deployment", name), behind)
            for name, behind in workloads.items()
        ),
        sidecar_sets=tuple(
            SidecarStanding(cluster="hz", name=name, behind=behind) for name, behind in sets.items()
        ),
        tightest=None,
        let_go=(),
        due=(),
    )
    parted = part(dict.fromkeys(places, 3), sidecars, checkpoint)
    assert parted.left == sum(
        max(0, workloads[it.name] - 3) for it in places if it.name in workloads
    ), "three of each were to stay where they are"
    known = [*((it, workloads.get(it.name)) for it in places),
             *((it, sets.get(it.name)) for it in sidecars)]  # fmt: skip
    assert set(parted.free) == {place for place, behind in known if behind == 0}
    told = {text.partition(":")[0] for text in parted.held}
    assert {str(place) for place, behind in known if behind} <= told
    assert {str(place) for place in places} <= told | {str(place) for place in parted.free}


@pytest.fixture(scope="module")
def replanned() -> Following:
    """The plan of the shop, then one of its rest in which no pod of `order` may be down."""
    log = shop_log().events
    first = Course(shop_plan())
    frozen = {"name": "freeze", "scope": "fleet", "maxUnavailable": 0,
              "selector": {"matchLabels": {"app": "order"}}}  # fmt: skip
    rest = tail_request(first, images_of(first), 0)
    rest["spec"].setdefault("budgets", []).append(frozen)
    text = msgspec.json.encode(rest, order="sorted")
    plan = loop.plan_canonical(log, fleet(), text)
    return Following(Course(plan), before=Following(first))


def fleet() -> core.Fleet:
    return loop.observe_fleet(shop_log().events, Course(shop_plan()).position, None)


def test_what_another_plan_does_not_move_is_known_as_before(replanned: Following) -> None:
    assert not any(place == ORDER for place in images_of(replanned.course))
    checkpoint = ask(fleet(), replanned.request, Question(), now_ms=SALE_MS)
    assert checkpoint.by_place()[ORDER].behind
    parted = part(replanned.behind, replanned.sidecar_sets, checkpoint)
    assert ORDER not in parted.free
    assert any(text.startswith(str(ORDER)) for text in parted.held)


def test_a_third_plan_knows_what_the_first_one_moved(replanned: Following) -> None:
    rest = tail_request(replanned.course, replanned.images, 0)
    assert any(rule["workload"]["name"] == "order" for rule in rest["spec"]["target"]["images"])
    third = Following(replanned.course, before=replanned)
    assert third.images.keys() >= images_of(Course(shop_plan())).keys()


def test_failures_count_by_workload_over_all_plans(replanned: Following) -> None:
    first = Course(shop_plan())
    lost = {first.id: MoveSet([0, 1]), replanned.course.id: MoveSet([0])}
    failed = replanned.by_place(lost)
    own = [*(first.move(number) for number in (0, 1)), replanned.course.move(0)]
    assert failed == Counter(place_of(move) for move in own)
    assert all(replanned.moves[place] for place in failed)


def test_sidecar_sets_are_given_back_where_the_rest_moves_nothing() -> None:
    log = empty_log()
    log.import_recorded("shanghai", SHOP / "shanghai")
    rest = Course(planner.plan(log, request(), keep=False))
    assert rest.clusters == ("shanghai",)
    following = Following(rest, before=Following(Course(shop_plan())))
    assert {place.cluster for place in following.sidecar_sets} == {"hangzhou", "shanghai"}


@pytest.mark.parametrize(
    ("strategy", "behind"),
    [({}, 1), ({"paused": True}, 0), ({"partition": "100%"}, 0), ({"type": "NotUpdate"}, 0)],
)
def test_a_sidecar_set_counts_pods_of_nobody_but_not_those_that_its_owner_keeps(
    tmp_path: Path, strategy: dict[str, object], behind: int
) -> None:
    cart = clone_set(1, **rolling(maxUnavailable=1))
    newer = SIDECAR.replace("1.0.0", "2.0.0")
    moved, alone = pod("cart-0", cart, sidecar=True), pod("alone", sidecar=True)
    moved["spec"]["containers"][1]["image"] = newer
    about = metadata("SidecarSet", "mesh")
    # As a run holds it: its owner's strategy counts, and not the lever.
    about["annotations"] = {
        "kruise.io/sidecarset-hash-without-image": "same",
        HELD: json.dumps({"updateStrategy": strategy}),
    }
    del about["namespace"]
    lever = {"selector": {"matchLabels": {"nobody": "has"}}}
    spec = {
        "selector": {"matchLabels": {"app": "cart"}},
        "containers": [{"name": "mesh", "image": newer}],
        "updateStrategy": lever,
    }
    mesh = {"apiVersion": "apps.kruise.io/v1beta1", "kind": "SidecarSet", "metadata": about,
            "spec": spec}  # fmt: skip
    recorded = tmp_path / "list.json"
    recorded.write_text(json.dumps({"kind": "List", "items": [cart, moved, alone, mesh]}))
    log = empty_log()
    log.import_recorded("hz", recorded)
    events = log.events
    there = loop.observe_fleet(events, events.head().position, None)
    target = {"sidecars": [{"sidecarSet": "mesh", "container": "mesh", "to": newer}]}
    wanted = {"apiVersion": "planner/v1", "kind": "UpgradeRequest", "metadata": {"name": "x"},
              "spec": {"target": target}}  # fmt: skip
    checkpoint = ask(there, msgspec.json.encode(wanted), Question(), now_ms=SALE_MS)
    assert [each.behind for each in checkpoint.sidecar_sets] == [behind]
    parted = part({}, [Place("hz", "", "SidecarSet", "mesh")], checkpoint)
    assert bool(parted.free) is (behind == 0)
