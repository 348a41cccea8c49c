"""One reader, in its own environment: reads a list each time that it is told to.

python -m benches.readers READER LIST < lines

prints how many pods there are, then for each line the seconds that one reading took.
"""

import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter


def main() -> None:
    """The command line."""
    _, name, path = sys.argv
    read = import_module(f"benches.readers.{name}").reader()
    text = Path(path).read_bytes()
    print(read(text), flush=True)  # noqa: T201 what was asked for
    for _ in sys.stdin:
        began = perf_counter()
        read(text)
        print(perf_counter() - began, flush=True)  # noqa: T201 what was asked for


if __name__ == "__main__":
    main()
