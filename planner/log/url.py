"""URLs of databases: which are taken, and how they are shown without their passwords."""

from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from planner.errors import UsageError

EXAMPLES: Final = "write sqlite:///planner.db or postgresql://USER@HOST/DATABASE"
DRIVERS: Final = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def parse_url(text: str) -> URL:
    """Read the URL of a log and choose its driver.

    Raises:
        UsageError: it is no URL of a database in which a log can live. The URL itself is not
            repeated, because a password may be anywhere in it.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError(f"the database is not given as a URL; {EXAMPLES}") from None
    if url.drivername not in DRIVERS:
        raise UsageError(f"a log cannot live in {url.drivername}; {EXAMPLES}")
    if url.get_backend_name() == "sqlite" and _is_volatile(url):
        raise UsageError(f"a SQLite log needs a file; {EXAMPLES}")
    return url.set(drivername=DRIVERS[url.drivername])


def describe(url: URL) -> str:
    """Name a database for a person: no user, no password, no query."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    host = url.host or "the default host"
    port = f":{url.port}" if url.port else ""
    return f"database {url.database or 'by default'} on {host}{port}"


def without_secrets(url: URL, message: str) -> str:
    """Take every password that the URL holds out of a driver's message, and its line breaks."""
    values = [url.password or ""]
    for name, value in url.query.items():
        if "password" in name:
            values.extend([value] if isinstance(value, str) else value)
    for secret in filter(None, values):
        message = message.replace(str(secret), "***")
    return " ".join(message.split())


def _is_volatile(url: URL) -> bool:
    return url.database in {None, "", ":memory:"} or "mode=memory" in str(url)
