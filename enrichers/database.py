"""Reads records from a MaxMind DB file, and keeps doing so when the file changes or is damaged.

Format: https://maxmind.github.io/MaxMind-DB/.
"""

import logging
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import maxminddb

log = logging.getLogger(__name__)

PACKAGED = Path(__file__).parent / "data" / "country.mmdb"
"""The default: DB-IP's country data, made by `scripts/build-geoip`.

It is not compressed, so that it can be mapped into memory. Equal subtrees are shared, which leaves 3 MB of 8; xz would
leave 1.3 MB, and cost a write to the disk at each start.
"""

Identity = tuple[int, int, int, int]


class GeoDatabaseError(Exception):
    """A database cannot be opened.

    GeoDatabaseError
      MissingExtensionError: maxminddb came without its C extension, and Python alone is ten times slower
    """


class MissingExtensionError(GeoDatabaseError):
    """maxminddb has no C extension here."""


class Database:
    """One file, mapped into memory. Not thread-safe.

    A user's file is copied to an unlinked file first: `cp` over a mapped file truncates it, and the kernel kills a
    process that then reads past the new end. The packaged file is mapped directly, because nobody overwrites it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file. Raises GeoDatabaseError when it is missing or no database."""
        self._path = path
        self._failing = False
        self._tried = identify(path)
        self._reader = open_reader(path)

    @property
    def metadata(self) -> dict[str, str]:
        """The type of the database, the day (UTC) on which it was built, and the name of the file."""
        found = self._reader.metadata()
        return {"database": found.database_type, "built": day(found.build_epoch), "file": self._path.name}

    def get(self, address: str) -> Any:
        """Return the record of a well-formed address; None when there is none. Never raises."""
        try:
            return self._reader.get(address)
        except maxminddb.InvalidDatabaseError as error:
            self._report(f"a record is damaged: {error}")
        except ValueError:
            pass  # IPv6, and the file has IPv4 only; or text in a record is not UTF-8
        return None

    def renew(self) -> bool:
        """Open the file again when it has changed, and say whether that was done.

        If the file is missing, damaged or half written, the old one stays in use. That is logged once.
        """
        identity = identify(self._path)
        if identity == self._tried:
            return False
        self._tried = identity
        try:
            self._reader = open_reader(self._path)
        except GeoDatabaseError as error:
            self._report(f"the one opened before stays in use: {error}")
            return False
        self._failing = False
        log.info("geolocation database %s: now that of %s", self._path, self.metadata["built"])
        return True

    def _report(self, trouble: str) -> None:
        if not self._failing:
            self._failing = True
            log.warning("geolocation database %s: %s", self._path, trouble)


def day(epoch: int) -> str:
    """Return the day (UTC) of a time in seconds, as 2026-01-31. Raises ValueError or OverflowError far from now."""
    return datetime.fromtimestamp(epoch, UTC).date().isoformat()


def identify(path: Path) -> Identity | None:
    """Return a value that differs after each change of a file; None when its status cannot be read."""
    try:
        return _identity(path.stat())
    except OSError:
        return None


def _identity(stat: os.stat_result) -> Identity:
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size


def open_reader(path: Path) -> maxminddb.Reader:
    """Open a database with the C extension. Raises GeoDatabaseError, which names the file."""
    require_extension()
    try:
        reader = _map(path) if path == PACKAGED else _map_copy(path)
        day(reader.metadata().build_epoch)
    except (OSError, ValueError, OverflowError, maxminddb.InvalidDatabaseError) as error:
        raise GeoDatabaseError(f"cannot open the geolocation database {path}: {error}") from error
    return reader


def require_extension() -> None:
    """Raise MissingExtensionError when maxminddb has no C extension."""
    try:
        import maxminddb.extension  # noqa: F401
    except ImportError as error:
        message = "maxminddb has no C extension; install a wheel of it, or libmaxminddb-dev before building it"
        raise MissingExtensionError(message) from error


def _map(path: Path) -> maxminddb.Reader:
    return maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT)


def _map_copy(path: Path) -> maxminddb.Reader:
    """Map a private copy, which lasts as long as its reader. Raises `ValueError` if the file changed meanwhile."""
    with path.open("rb") as source, tempfile.NamedTemporaryFile(dir=_directory(), suffix=".mmdb") as copy:
        before = _identity(os.fstat(source.fileno()))
        shutil.copyfileobj(source, copy, 1 << 20)
        copy.flush()
        if _identity(os.fstat(source.fileno())) != before:
            raise ValueError("it is being written")
        return _map(Path(copy.name))


def _directory() -> str | None:
    """Prefer /var/tmp: /tmp is often memory. TMPDIR overrules both."""
    return "/var/tmp" if "TMPDIR" not in os.environ and os.access("/var/tmp", os.W_OK) else None
