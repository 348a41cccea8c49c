"""The linear program of `lp` with shares of groups only: nothing of heads, tails and pace."""

from benches.peers import lp
from benches.peers.problem import Answer, Problem


def solve(problem: Problem, seconds: float) -> Answer:
    """The list schedule, and the bound."""
    return lp.solve(problem, seconds, windows=False)
