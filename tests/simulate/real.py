"""What `tests/controlplane/test_replay.py` measures on a real API server, for reading.

It takes a control plane and a minute, so that it is not measured anew for the document: the test
fails when a row is not as here.
"""

from typing import Final

from tests.agreement.report import table

HEAD: Final = """\
## On a real API server
On the control planes of `tests/controlplane/` a stand-in plays the controllers of OpenKruise: it
asks the same rules, and writes what they say to a real API server. There
`tests/controlplane/test_replay.py` makes the pods of an upgrade once more (names, labels,
containers, nodes, since when they are Ready and how often they restarted), lets people do the
same, and measures what follows, as above. Containers restart in a third of the time. `log-tail`
is both of its upgrades in one.

"""
COLUMNS: Final = ("upgrade", "of", "pods", "order", "across", "kind", "at once", "stand-in")
ROWS: Final = (
    (
        "cart",
        "CloneSet",
        "100 % (110 of 110)",
        "100 % (5,485 of 5,485)",
        "-",
        "100 % (110 of 110)",
        "22",
        "22",
    ),
    (
        "image-resizer",
        "CloneSet",
        "100 % (26 of 26)",
        "100 % (282 of 282)",
        "-",
        "100 % (26 of 26)",
        "6",
        "6",
    ),
    (
        "tair",
        "AdvancedStatefulSet",
        "100 % (40 of 40)",
        "100 % (780 of 780)",
        "-",
        "100 % (40 of 40)",
        "4",
        "4",
    ),
    (
        "log-tail",
        "SidecarSet",
        "100 % (350 of 350)",
        "100 % (14,180 of 14,180)",
        "100 % (44,743 of 44,743)",
        "100 % (350 of 350)",
        "25",
        "at most 70",
    ),
)
WHY: Final = """
The stand-in may have more pods of `log-tail` down at once than the 25 of the recording, within
the 70 that 20 % allow: it writes some hundred pods a second, where OpenKruise's controllers wrote
ten to fourteen, and neither waits for anything but the limit. How many it has down (50, say)
differs from run to run.
"""
REAL: Final = f"{HEAD}{table(COLUMNS, ROWS)}{WHY}"
