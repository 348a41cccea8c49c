"""How many instructions each stage of the core takes for 10,000 pods, beside what it took before.

    make check-perf             # exit code 1 when a stage takes more than it may
    make check-perf ACCEPT=1    # what it takes now is what it may take

Counts do not vary with what else the machine does, so that a slower core is seen where times say
nothing. They vary with the compiler and the C library: whoever changes those accepts anew.
Needs valgrind (apt-get install valgrind).
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.measure import Inputs

BASELINE = Path(__file__).with_name("instructions.json")
# Addresses differ from run to run, and with them what an allocator does: less than a thousandth.
TOLERANCE = 0.01
_STAGE = re.compile(r"^\s*([\d,]+) .*:count::stage_(\w+) ")


def counts(annotated: str) -> dict[str, int]:
    """Instructions of each stage, in order of their names, from what callgrind_annotate says."""
    found = map(_STAGE.match, annotated.splitlines())
    pairs = {each[2]: int(each[1].replace(",", "")) for each in found if each}
    return dict(sorted(pairs.items()))


def verdicts(
    now: Mapping[str, int], allowed: Mapping[str, int]
) -> Iterator[tuple[str, float | None, bool]]:
    """Of each stage its name, its share of what it may take, and whether that is too much."""
    for stage, count in now.items():
        share = count / allowed[stage] if stage in allowed else None
        yield stage, share, share is None or share > 1 + TOLERANCE


def measured(program: Path) -> dict[str, int]:
    """Run every stage once under callgrind."""
    with TemporaryDirectory() as folder:
        inputs = Inputs(size="10k", directory=Path(folder), scratch=Path(folder), rounds=1)
        profile = Path(folder, "profile")
        command = [program, inputs.lists, inputs.request()]
        tool = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={profile}"]
        _run([*tool, *map(str, command)])
        text = _run(
            ["callgrind_annotate", "--auto=no", "--inclusive=yes", "--threshold=100", str(profile)]
        )
    return counts(text)


def main(arguments: list[str] | None = None) -> int:
    """Print a line a stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path, help="the example `count`, built for release")
    parser.add_argument("--accept", action="store_true", help="keep what it takes now")
    options = parser.parse_args(arguments)
    if shutil.which("valgrind") is None:
        parser.error("valgrind is not there; apt-get install valgrind")
    now = measured(options.program)
    allowed = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    too_much = False
    for stage, share, is_more in verdicts(now, allowed):
        beside = "new" if share is None else f"{share:7.1%} of what it may take"
        sys.stdout.write(f"{stage:<10}{now[stage]:>16,}  {beside}\n")
        too_much |= is_more
    if options.accept:
        BASELINE.write_text(json.dumps(now, indent=2) + "\n")
        return 0
    if too_much:
        sys.stdout.write(
            "A stage takes more: make it cheaper, or run `make check-perf ACCEPT=1` and say why.\n"
        )
    return int(too_much)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 our own program
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
