"""Where the observation of one kind stands, and what follows from an answer: pure decisions."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from planner.errors import ClusterError

EXPIRED: Final = ("Expired", "Gone")
_AHEAD: Final = "Too large resource version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Which version of the API serves the kind is not known yet.

    Attributes:
        reached: the version up to which it is known; `""` when it has to be listed.
    """

    reached: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The pages of a list come, all at one resourceVersion.

    Attributes:
        path: of the kind.
        page: names the page to ask for; `""` is the first.
    """

    path: str
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Changes come, from a version on.

    Attributes:
        path: of the kind.
        reached: everything up to this version was received.
    """

    path: str
    reached: str


State = Finding | Listing | Watching


def after_found(state: Finding, path: str) -> Listing | Watching:
    """Go on where the log ends, or list."""
    return Watching(path=path, reached=state.reached) if state.reached else Listing(path=path)


def after_page(state: Listing, *, page: str, version: str) -> Listing | Watching:
    """Ask for the next page, which `page` names, or watch from the version of the list on."""
    if page:
        return replace(state, page=page)
    return Watching(path=state.path, reached=version)


def after_error(state: State, error: ClusterError) -> State:
    """Say what to try next.

    A version or a page that the server has forgotten (410), or one that it has not reached (it was
    set back), makes everything be listed again from the first page. A path that is gone is looked
    for again: another version may be served now. Anything else is tried again as it was, for a
    page can be asked for twice and a watch goes on after the last event.
    """
    if isinstance(state, Finding):
        return state
    if must_list_again(error):
        return Listing(path=state.path)
    if error.status == HTTPStatus.NOT_FOUND:
        return Finding(reached=state.reached if isinstance(state, Watching) else "")
    return state


def must_list_again(error: ClusterError) -> bool:
    """Whether the server cannot go on where it is asked to.

    Source: client-go tools/cache/reflector.go, isExpiredError and isTooLargeResourceVersionError.
    """
    expired = error.status == HTTPStatus.GONE or error.reason in EXPIRED
    return expired or error.message.startswith(_AHEAD)
