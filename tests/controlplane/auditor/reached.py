"""How far what was seen of the pods of a cluster reaches."""

from collections.abc import Iterable

from tests.controlplane.auditor.pods import Object


class Reached:
    """The versions in which the pods of a cluster were seen last."""

    def __init__(self) -> None:
        self._there: dict[str, int] = {}
        self._gone: set[str] = set()
        self._listed = 0

    def listed(self, pods: Iterable[Object], version: str) -> None:
        """Take all pods, at a version."""
        before, self._listed = self._there, int(version)
        self._there = {pod["metadata"]["uid"]: _version_of(pod) for pod in pods}
        self._gone |= before.keys() - self._there.keys()

    def see(self, pod: Object, *, gone: bool) -> None:
        """Take a pod as it is now."""
        uid = pod["metadata"]["uid"]
        if gone:
            self._there.pop(uid, None)
            self._gone.add(uid)
        else:
            self._there[uid] = _version_of(pod)

    def has(self, pods: Iterable[Object], version: str) -> bool:
        """Whether everything was seen that had happened when these were all pods, at a version."""
        return not self.lacks(pods, version)

    def lacks(self, pods: Iterable[Object], version: str) -> list[str]:
        """What of that was not seen, a line for each pod."""
        wanted = {pod["metadata"]["uid"]: _version_of(pod) for pod in pods}
        # What is older than a list and not in it came and went.
        left = {uid for uid in wanted.keys() - self._gone if wanted[uid] > self._listed}
        seen = {uid: self._there.get(uid, 0) for uid in left}
        return [
            *(
                f"{uid} at {wanted[uid]}, seen at {at}"
                for uid, at in seen.items()
                if at < wanted[uid]
            ),
            *(
                f"{uid} gone before {version}, seen at {at}"
                for uid, at in self._there.items()
                if uid not in wanted and at <= int(version)
            ),
        ]


def _version_of(pod: Object) -> int:
    """Grows with every write, of whichever pod."""
    return int(pod["metadata"]["resourceVersion"])
