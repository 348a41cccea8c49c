"""A number of things out of some more, which is how agreement is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many."""

    agree: int
    of: int

    @property
    def is_whole(self) -> bool:
        """Nothing disagrees."""
        return self.agree == self.of

    def __str__(self) -> str:
        if not self.of:
            return "-"
        # Rounded down, so that only agreement in everything reads 100.
        per_mille = 1000 * self.agree // self.of
        return f"{per_mille / 10:g} % ({self.agree:,} of {self.of:,})"


NOTHING = Share(agree=0, of=0)
