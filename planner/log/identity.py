"""Who a log is: made once when the log is created, and the first link of its chain."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

LOG_ID_BYTES: Final = 16
SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIdentity:
    """A log's id and the salt of the digests that stand for redacted values in it.

    The salt is secret in the sense that it lives where the log lives and nowhere else: whoever
    has only a plan or an export cannot guess redacted values by hashing candidates.
    """

    log_id: bytes
    salt: bytes

    def __repr__(self) -> str:
        return f"LogIdentity(log_id={self.log_id.hex()}, salt=<redacted>)"

    @classmethod
    def random(cls, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Make the identity of a new log."""
        return cls(log_id=random_bytes(LOG_ID_BYTES), salt=random_bytes(SALT_BYTES))
