"""Rates that do nothing beside others."""

from planner.model.policy import Rate
from planner.plan.rates import idle_rates


def writes(name: str, per_s: int, cluster: str | None = None) -> Rate:
    return Rate(name=name, cluster=cluster, writes_per_second=per_s)


def pulls(name: str, per_s: int, cluster: str | None = None, registry: str = "r") -> Rate:
    return Rate(name=name, cluster=cluster, registry=registry, pulls_per_second=per_s)


def idle(*rates: Rate) -> dict[str, str]:
    return {rate.name: other.name for rate, other in idle_rates(rates)}


def test_a_rate_of_a_part_is_idle_beside_a_slower_one_of_all() -> None:
    assert idle(writes("all", 5), writes("one", 9, "hangzhou")) == {"one": "all"}
    assert idle(pulls("all", 5), pulls("one", 9, "hangzhou")) == {"one": "all"}
    assert idle(writes("all", 9), writes("one", 5, "hangzhou")) == {}


def test_a_rate_of_all_is_not_idle_beside_a_slower_one_of_a_part() -> None:
    assert idle(pulls("all", 9), pulls("one", 5, "hangzhou")) == {}


def test_of_two_that_say_the_same_the_first_counts() -> None:
    assert idle(writes("one", 5), writes("two", 5)) == {"two": "one"}
    assert idle(writes("one", 5, "hangzhou"), writes("two", 5)) == {}, "the second is of others too"


def test_writes_and_pulls_and_registries_have_nothing_to_do_with_each_other() -> None:
    assert idle(writes("api", 5), pulls("r", 9), pulls("s", 4, registry="s")) == {}
    assert idle(writes("one", 5, "hangzhou"), writes("two", 9, "shanghai")) == {}
