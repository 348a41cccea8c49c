"""`python -m tests.simulate`: print docs/simulation.md."""

import sys

from tests.simulate.measured import measured
from tests.simulate.report import report

sys.stdout.write(report(measured()))
