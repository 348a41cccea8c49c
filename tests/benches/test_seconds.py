import subprocess
from unittest.mock import Mock

from benches.parsing import Runner
from benches.request import Regime
from benches.seconds import table


def test_a_plan_takes_as_long_as_a_reader_for_so_many_pods() -> None:
    took = [2e-5, 1e-5, 9e-5]
    reader = Runner(name="typed", pods=100, process=Mock(spec=subprocess.Popen), took=took)
    plans = {Regime.LOOSE: [3.0, 2.0, 2.5], Regime.TIGHT: [1.0]}
    assert list(table(plans, reader))[2:] == [
        "| loose | 2.50 | 2.00 | 3.00 | 50,000 | 125,000 |",
        "| tight | 1.00 | 1.00 | 1.00 | 50,000 | 50,000 |",
    ]
