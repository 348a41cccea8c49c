"""A Deployment's passes, each measured by the ranking of its own moment.

New pods change on which nodes pods stand close together, so no ranking made beforehand can stay
right. What is left to check is the rule: whether every pass took the pods that came first then.
"""

from collections.abc import Sequence
from itertools import groupby

from tests.agreement.keys import Ranks
from tests.agreement.operations import Operation
from tests.agreement.recording import Recording
from tests.agreement.share import Share
from tests.agreement.taken import Taken, belongs


def by_pass(operation: Operation, taken: Sequence[Taken], recording: Recording) -> Share:
    """Of the pairs of a pod that a pass took and one that it left: those in order by then."""
    left = {each.uid for each in taken}
    agree = pairs = 0
    for _, group in groupby(taken, key=lambda each: each.batch):
        batch = list(group)
        begin = batch[0].t
        now = recording.pods_at(begin)
        ranks = Ranks(begin, [pod for pod in now.values() if belongs(operation, pod)])
        left -= {each.uid for each in batch}
        for each in batch:
            compared = [ranks.compare(now[each.uid], now[uid]) for uid in left & now.keys()]
            agree += sum(order < 0 for order in compared)
            pairs += sum(order != 0 for order in compared)
    return Share(agree=agree, of=pairs)
