"""A bound on waves by linear programming (PDLP or GLOP of OR-Tools), beside the list schedule.

A number of waves is refuted by weights of rows in integers, which are added up exactly: what a
solver says in floating point is never taken for a proof.
"""

from time import monotonic

from ortools.linear_solver import pywraplp

from benches.peers import tails
from benches.peers.problem import Answer, Problem, length, scarce, takers
from benches.peers.relaxation import Relaxation, Row, is_refuted

_SCALES = tuple(10**each for each in range(10))
# A simplex is exact on small ones; on large ones it takes ten times as long as first order steps.
_SIMPLEX_ROWS_MAX = 3_000
# Without some budgets it proves no more than with them.
_BUDGETS_MAX = 150
_VARIABLES_MAX = 120_000
_EXCESS_MIN = 1e-6


def solve(problem: Problem, seconds: float, *, windows: bool = True) -> Answer:
    """The list schedule, and one wave more than the most that are refuted in time."""
    end = monotonic() + seconds
    schedule = tails.solve(problem, seconds).waves
    possible, refuted, step = length(schedule), 0, 1
    # The bound is most likely near the schedule: down in growing steps, then halfway.
    while possible - refuted > 1 and monotonic() < end:
        waves = (possible + refuted) // 2 if refuted else max(1, possible - step)
        if refute(pose(problem, waves, windows=windows), end) is not None:
            refuted = waves
        else:
            possible, step = waves, 2 * step
    return Answer(waves=schedule, bound=refuted + 1)


def pose(problem: Problem, waves: int, *, windows: bool) -> Relaxation:
    """The relaxation with as many budgets as can be borne, first those that need most waves."""
    counts = takers(problem)
    load = {b: counts[b] / max(1, problem.budgets[b].limit) for b in scarce(problem)}
    budgets = sorted(load, key=lambda b: (-load[b], b))[:_BUDGETS_MAX]
    while True:
        posed = Relaxation(problem, waves, windows=windows, budgets=budgets)
        if len(posed.low) <= _VARIABLES_MAX or len(budgets) <= 1:
            return posed
        budgets = budgets[: len(budgets) // 2]


def refute(posed: Relaxation, end: float) -> list[tuple[Row, int]] | None:
    """Rows and weights that add up to what cannot be; None when none are found until `end`."""
    if posed.is_void:
        return []
    is_small = len(posed.rows) <= _SIMPLEX_ROWS_MAX
    solver = pywraplp.Solver.CreateSolver("GLOP" if is_small else "PDLP")
    solver.SetTimeLimit(max(1, int(1000 * (end - monotonic()))))
    boxes = zip(posed.low, posed.high, strict=True)
    variables = [solver.NumVar(low, high, "") for low, high in boxes]
    # By how much the worst row has to be exceeded: its dual values are the weights.
    excess = solver.NumVar(0, solver.infinity(), "")
    solver.Minimize(excess)
    constraints = []
    for row in posed.rows:
        constraint = solver.Constraint(-solver.infinity(), row.most)
        for variable, counts in row.terms:
            constraint.SetCoefficient(variables[variable], counts)
        constraint.SetCoefficient(excess, -1)
        constraints.append(constraint)
    if solver.Solve() != pywraplp.Solver.OPTIMAL or excess.solution_value() < _EXCESS_MIN:
        return None
    duals = [-each.dual_value() for each in constraints]
    for scale in _SCALES:
        rounded = zip(posed.rows, (round(scale * dual) for dual in duals), strict=True)
        weights = [(row, weight) for row, weight in rounded if weight > 0]
        if is_refuted(posed.low, posed.high, weights):
            return weights
    return None
