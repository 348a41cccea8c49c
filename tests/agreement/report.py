"""The agreement for reading: docs/agreement.md, made from what is measured."""

from collections.abc import Iterator, Sequence

from tests.agreement.compare import Agreement
from tests.agreement.reasons import REASONS
from tests.agreement.share import Share

HEAD = """\
# How far plans agree with what the controllers do

The recorded cluster `examples/shop/hangzhou` ran the controllers of Kubernetes and OpenKruise. For
every upgrade that was done to it the planner was asked for the same upgrade, from what had been
observed just before, and its moves are compared with what the controllers then did. Made by
`python -m tests.agreement > docs/agreement.md`; a test keeps it true.

- **pods**: those that moved, among all that moved or were planned (of `log-tail (5)`, which was
  changed half way: among as many from the beginning of the plan).
- **order**: of all pairs of pods of a workload that its controller's own keys put in order, those
  that went in the planned order. *Ties* are pairs whose keys are equal: the controller leaves them
  to the order of its cache. *Together* are pairs that it took by parallel calls. A native DaemonSet
  goes through a Go map, so there is no order to agree about.
- **kind**: moves in place, or by a new pod, as planned.
- **at once**: most pods down together because of the upgrade, of as many as the planner allows for
  the workload. More would mean that a rule of the planner is too strict, fewer than allowed may
  mean that it is too loose.

`cart` has no partitions here: the API server dropped them (a field of another version), so all of
its pods went in one upgrade. `checkout` is planned once, before its first partition.

"""
PARTS = """\
## Parts
The pods of each partition, or of the first pass of a Deployment, against as many of the plan.
"""
ACROSS = """\
## Across workloads
A SidecarSet takes the pods of all its workloads in one order; a plan orders those of a workload.
"""
PASSES = """\
## Deployments, pass by pass
Pairs of a pod that a pass took and one that it left, ranked anew just before the pass.
"""
COLUMNS = ("upgrade", "of", "pods", "order", "ties", "together", "kind", "at once")
PART_COLUMNS = ("upgrade", "part", "pods", "else a tie")


def measures(agreement: Agreement) -> Iterator[tuple[str, Share]]:
    """Every number of an upgrade that can be below 100 %, by what REASONS calls it."""
    yield "pods", agreement.pods
    yield "order", agreement.order.pairs
    yield "across", agreement.across.pairs
    yield "by pass", agreement.by_pass
    yield "kind", agreement.ways
    yield "at once", Share(agree=agreement.at_once, of=agreement.limit)
    for part in agreement.parts:
        yield part.name, part.pods


def disagreements(agreements: Sequence[Agreement]) -> list[tuple[str, str, Share]]:
    """Upgrade, measure and number of everything below 100 %."""
    return [
        (agreement.name, measure, share)
        for agreement in agreements
        for measure, share in measures(agreement)
        if not share.is_whole
    ]


def report(agreements: Sequence[Agreement]) -> str:
    """The whole document."""
    rows = [_row(agreement) for agreement in agreements]
    parts = [
        (agreement.name, part.name, str(part.pods), str(part.ties))
        for agreement in agreements
        for part in agreement.parts
        if part.pods.of
    ]
    across = [
        (agreement.name, f"{agreement.across.pairs}", f"{agreement.across.ties:,}")
        for agreement in agreements
        if agreement.across.pairs.of
    ]
    passes = [
        (agreement.name, str(agreement.by_pass)) for agreement in agreements if agreement.by_pass.of
    ]
    return "\n".join(
        (
            HEAD + table(COLUMNS, rows),
            PARTS,
            table(PART_COLUMNS, parts),
            ACROSS,
            table(("upgrade", "order", "ties"), across),
            PASSES,
            table(("upgrade", "order"), passes),
            "## Why not 100 %",
            *(
                f"- **{name}, {measure}, {share}**: {REASONS[name, measure]}"
                for name, measure, share in disagreements(agreements)
            ),
            "",
        )
    )


def _row(agreement: Agreement) -> tuple[str, ...]:
    order = agreement.order
    return (
        agreement.name,
        agreement.kind,
        str(agreement.pods),
        str(order.pairs),
        f"{order.ties:,}",
        f"{order.together:,}",
        str(agreement.ways),
        f"{agreement.at_once} of {agreement.limit}",
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
