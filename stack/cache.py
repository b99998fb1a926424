"""Keeps the files of the embedded servers in a cache, fetched one time and checked against pinned checksums.

The cache is `$OGREWATCH_CACHE`, else `$XDG_CACHE_HOME/ogrewatch`, else `~/.cache/ogrewatch`. The folder of a package
appears there complete or not at all. Its name contains a hash of the checksums, so new pins never use old files.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stack import maven
from stack.errors import StackError
from stack.lock import locked

_HERE = Path(__file__).parent
CHECKSUMS = _HERE / "checksums.sha256"
"""Pinned SHA-256 of every file of every package, as `sha256sum` prints them; `scripts/pin-stack` writes it."""


@dataclass(frozen=True, slots=True)
class Package:
    """The dependencies of a pom: jars for a class path, or one zip archive that is unpacked."""

    name: str
    title: str

    @property
    def pom(self) -> Path:
        """The pom that lists it."""
        return _HERE / "poms" / f"{self.name}.xml"

    def checksums(self) -> dict[str, str]:
        """Pinned checksum by file name."""
        pairs = (line.split(maxsplit=1) for line in CHECKSUMS.read_text().splitlines())
        return {file.removeprefix(f"{self.name}/"): sum_ for sum_, file in pairs if file.startswith(f"{self.name}/")}


KAFKA = Package("kafka", "Apache Kafka")
ELASTICSEARCH = Package("elasticsearch", "Elasticsearch")


def cache_dir() -> Path:
    """The folder of the cache. It is not created."""
    chosen = os.environ.get("OGREWATCH_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ogrewatch"


def location(package: Package) -> Path:
    """Where the package is, or will be."""
    pins = "".join(f"{file}{sum_}" for file, sum_ in sorted(package.checksums().items()))
    return cache_dir() / f"{package.name}-{hashlib.sha256(pins.encode()).hexdigest()[:12]}"


def ensure(package: Package) -> Path:
    """The folder of the package. Fetches it when the cache lacks it: blocks, and shows progress on standard error.

    Safe to call from several processes at once. Raises StackError when fetching fails or a checksum differs.
    """
    target = location(package)
    if target.exists():
        return target
    with locked(cache_dir() / f"{package.name}.lock"):
        if not target.exists():
            _fetch(package, target)
    return target


def verify(package: Package, folder: Path) -> None:
    """Compare the files in `folder` with the pins. Raises StackError at the first that differs or is missing."""
    pinned = package.checksums()
    for file in sorted(pinned.keys() | {found.name for found in folder.iterdir()}):
        actual = checksum(folder / file) if (folder / file).exists() else "missing"
        if actual != pinned.get(file):
            raise StackError(
                f"{file} of {package.title} is not the file it should be (SHA-256 {actual}, expected"
                f" {pinned.get(file, 'no such file')}): delete it from Maven's local repository and try again."
            )


def checksum(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fetch(package: Package, target: Path) -> None:
    """Download, verify and unpack beside the target, then rename. The caller holds the package's lock."""
    for left in target.parent.glob(f"{package.name}.part-*"):
        shutil.rmtree(left)  # left by a process that was killed
    staging = Path(tempfile.mkdtemp(prefix=f"{package.name}.part-", dir=target.parent))
    try:
        files = download(package, staging)
        verify(package, files)
        _unpacked(files).rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def download(package: Package, staging: Path) -> Path:
    """Fetch the files of the package, unchecked, into a folder under `staging`, and show the progress."""
    pom = Path(shutil.copy(package.pom, staging))
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TextColumn("{task.fields[note]}")
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"Fetching {package.title}", total=None, note="")
        maven.fetch(pom, staging / "files", lambda note: progress.update(task, note=note))
    return staging / "files"


def _unpacked(files: Path) -> Path:
    """Return the folder, or the top folder of the archive in it, unpacked with file modes (zipfile drops them)."""
    archive = next(files.glob("*.zip"), None)
    if archive is None:
        return files
    into = files.parent / "unpacked"
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            file = opened.extract(member, into)
            if mode := member.external_attr >> 16 & 0o777:
                Path(file).chmod(mode)
    (top,) = into.iterdir()
    (top / "plugins").mkdir(exist_ok=True)
    return top
