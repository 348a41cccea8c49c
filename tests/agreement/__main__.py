"""`python -m tests.agreement`: print docs/agreement.md."""

import sys

from tests.agreement.measured import measured
from tests.agreement.report import report

sys.stdout.write(report(measured()))
