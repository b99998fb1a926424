"""Makes certificates, signed by authorities of the test's own."""

import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost"
_NEW = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"]


@dataclass(frozen=True, slots=True)
class Pem:
    """A certificate and its key, each in a file, and both together with who vouches for them."""

    certificate: Path
    key: Path

    @property
    def both(self) -> Path:
        """One file: the key, the certificate, and that of its authority."""
        return self.certificate.with_suffix(".both.pem")

    @property
    def chain(self) -> Path:
        """One file: the certificate, and that of its authority."""
        return self.certificate.with_suffix(".chain.pem")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it."""
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).hexdigest().upper()
        return ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))


def authority(folder: Path, name: str) -> Pem:
    """An authority that is vouched for by nobody else."""
    made = Pem(folder / f"{name}.crt", folder / f"{name}.key")
    uses = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    _run([*_NEW, "-subj", f"/CN={name}", *uses, "-keyout", str(made.key), "-out", str(made.certificate)])
    return made


def signed(folder: Path, name: str, by: Pem, names: str = _NAMES) -> Pem:
    """A certificate for a server on this machine, or for a client called `name`."""
    made = Pem(folder / f"{name}.crt", folder / f"{name}.key")
    issuer = ["-CA", str(by.certificate), "-CAkey", str(by.key), "-addext", "basicConstraints=critical,CA:FALSE"]
    files = ["-keyout", str(made.key), "-out", str(made.certificate)]
    _run([*_NEW, "-subj", f"/CN={name}", *issuer, "-addext", names, *files])
    made.chain.write_text(made.certificate.read_text() + by.certificate.read_text())
    made.both.write_text(made.key.read_text() + made.chain.read_text())
    return made


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)
