import pytest

from benches.instructions import counts, verdicts

ANNOTATED = """\
Ir
3,100 (100.0%)  PROGRAM TOTALS

3,100 (100.0%)  rust/planner-core/examples/count.rs:count::stages [count]
2,000 (64.52%)  rust/planner-core/examples/count.rs:count::stage_plan [count]
1,000 (32.26%)  rust/planner-core/examples/count.rs:count::stage_fold [count]
  100 ( 3.23%)  rust/planner-core/src/fold.rs:planner_core::fold::fold [count]
"""


def test_the_counts_are_those_of_the_stages() -> None:
    assert list(counts(ANNOTATED).items()) == [("fold", 1_000), ("plan", 2_000)]


@pytest.mark.parametrize(
    ("now", "share", "is_too_much"),
    [(900, 0.9, False), (1_010, 1.01, False), (1_011, 1.011, True)],
)
def test_a_stage_may_take_a_hundredth_more(now: int, share: float, *, is_too_much: bool) -> None:
    assert list(verdicts({"fold": now}, {"fold": 1_000})) == [("fold", share, is_too_much)]


def test_a_stage_that_nobody_accepted_is_too_much() -> None:
    assert list(verdicts({"fold": 1}, {})) == [("fold", None, True)]
