"""The agreement of the simulation for reading: docs/simulation.md, made from what is measured."""

from collections.abc import Iterator

from tests.agreement.compare import Agreement
from tests.agreement.report import measures, table
from tests.agreement.share import Share
from tests.simulate.measured import Measured
from tests.simulate.real import REAL
from tests.simulate.reasons import REASONS

HEAD = """\
# How far the simulated controllers agree with the real ones

`planner simulate` runs a plan on a simulated cluster, whose controllers follow the rules of
`planner/simulate/rules/`: pure functions, written from the controllers' sources and sharing no code
with the planner or its checker. Here the recorded cluster `examples/shop/hangzhou` is run once more
with them: for every upgrade that was done to it, from what had been observed just before, people
do the same at the same moments, and what the simulated controllers then do is compared with what
the real ones did. Made by `python -m tests.simulate > docs/simulation.md`; a test keeps it true.

The columns are those of [agreement.md](agreement.md): **pods** that moved, **order** of all pairs
that the controller's own keys put in order, **kind** (in place, or by a new pod), and the most pods
**at once** down because of the upgrade, recorded and simulated. Times are drawn from the spans of
the recorded cluster (starts 1.5 to 5.5 s, restarts and ends 1 to 3 s), writes are 70 ms apart.

"""
PARTS = """\
## Parts
The pods of each partition, or of the first pass of a Deployment.

"""
ACROSS = """\
## Across workloads
Pairs of pods of two workloads that one SidecarSet takes.

"""
VICTIMS = """\
## Deployments, pass by pass
Pods that the rule of a ReplicaSet removes, asked just before each pass of the recording.

"""
BUDGETS = """\
## Budgets
Every status that the controllers wrote of a budget (healthy, desired, allowed), against what the
rules count of the recorded pods at some moment since the status before.

"""
COLUMNS = ("upgrade", "of", "pods", "order", "kind", "at once", "simulated")


def numbers(measured: Measured) -> Iterator[tuple[str, str, Share]]:
    """Upgrade, measure and number of everything that can be below 100 %."""
    for agreement in measured.simulation:
        for measure, share in measures(agreement):
            # That one measures the recording alone.
            if measure != "by pass":
                yield agreement.name, measure, share
        if agreement.name in measured.victims:
            yield agreement.name, "victims", measured.victims[agreement.name]
    for resource, share in measured.budgets.items():
        yield resource, "statuses", share


def report(measured: Measured) -> str:
    """The whole document."""
    parts = [
        (agreement.name, part.name, str(part.pods), str(part.ties))
        for agreement in measured.simulation
        for part in agreement.parts
        if part.pods.of
    ]
    across = [
        (agreement.name, str(agreement.across.pairs))
        for agreement in measured.simulation
        if agreement.across.pairs.of
    ]
    budgets = [(name, str(share)) for name, share in measured.budgets.items()]
    victims = [(name, str(share)) for name, share in measured.victims.items()]
    return "\n".join(
        (
            HEAD + table(COLUMNS, [_row(each) for each in measured.simulation]),
            PARTS + table(("upgrade", "part", "pods", "else a tie"), parts),
            ACROSS + table(("upgrade", "order"), across),
            VICTIMS + table(("upgrade", "victims"), victims),
            BUDGETS + table(("budgets", "statuses"), budgets),
            REAL,
            "## Why not 100 %",
            *(
                f"- **{name}, {measure}, {share}**: {REASONS[name, measure]}"
                for name, measure, share in numbers(measured)
                if not share.is_whole
            ),
            "",
        )
    )


def _row(agreement: Agreement) -> tuple[str, ...]:
    return (
        agreement.name,
        agreement.kind,
        str(agreement.pods),
        str(agreement.order.pairs),
        str(agreement.ways),
        str(agreement.at_once),
        str(agreement.limit),
    )
