"""One peer on one problem, in its own environment.

python -m benches.peers PEER PROBLEM ANSWER --seconds 60
"""

import argparse
import json
import resource
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from time import perf_counter

from benches.peers.problem import read


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.peers", description=__doc__)
    parser.add_argument("peer", help="a module beside this one")
    parser.add_argument("problem", type=Path)
    parser.add_argument("answer", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--gib", type=int, default=8, help="of memory, at most")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (options.gib << 30, options.gib << 30))
    solve = import_module(f"benches.peers.{options.peer}").solve
    problem = read(options.problem)
    began = perf_counter()
    answer = solve(problem, options.seconds)
    took = perf_counter() - began
    told = None if answer is None else asdict(answer)
    options.answer.write_text(json.dumps({"answer": told, "seconds": took}))


if __name__ == "__main__":
    main()
