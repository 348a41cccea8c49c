"""A realistic fleet from a seed, as the raw API lists that the planner reads from a real one.

    python -m benches.fleet --pods 100000 --seed 1 DIR

writes one file a list into DIR, pods in pages. The same pods and seed give the same bytes.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benches.layout import lay_out
from benches.lists import Lists
from benches.request import Regime, upgrade_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """A fleet of exactly `pods` pods (at least 100) in one cluster.

    `ballast` adds what a reader has to skip: managed fields and last applied configurations.
    """

    pods: int
    seed: int = 1
    ballast: bool = True
    pods_per_page: int = 10_000

    def lists(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """File names with their text in pieces, made while they are read.

        As with `itertools.groupby`, the pieces of one list are gone once the next one is asked
        for; memory holds the layout (a few hundred bytes a workload) and one object.
        """
        lists = Lists(
            layout=lay_out(self.pods, self.seed),
            seed=self.seed,
            ballast=self.ballast,
            pods_per_page=self.pods_per_page,
        )
        return lists.files()

    def write(self, directory: Path) -> int:
        """Write every list into a directory, made if need be; the bytes written."""
        directory.mkdir(parents=True, exist_ok=True)
        written = 0
        for name, pieces in self.lists():
            with closing((directory / name).open("wb")) as file:
                file.writelines(pieces)
                written += file.tell()
        return written

    def request(
        self, regime: Regime = Regime.LOOSE, *, depth: int | None = None
    ) -> dict[str, object]:
        """The UpgradeRequest that moves every pod, under the limits of a regime.

        `depth` is the number of layers of dependencies, by default that of the regime.
        """
        return upgrade_request(lay_out(self.pods, self.seed), self.seed, regime, depth)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.fleet", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--pods", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-ballast", action="store_true", help="without managed fields")
    parser.add_argument("--request", type=Path, metavar="FILE", help="also an UpgradeRequest")
    parser.add_argument("--regime", type=Regime, choices=tuple(Regime), default=Regime.LOOSE)
    parser.add_argument("--depth", type=int, help="layers of dependencies")
    options = parser.parse_args()
    fleet = Fleet(pods=options.pods, seed=options.seed, ballast=not options.no_ballast)
    written = fleet.write(options.directory)
    if options.request is not None:
        request = fleet.request(options.regime, depth=options.depth)
        # JSON is YAML, and is written ten times as fast.
        options.request.write_text(json.dumps(request, indent=1) + "\n")
    sys.stdout.write(f"{options.pods} pods, {written} bytes in {options.directory}\n")


if __name__ == "__main__":
    main()
