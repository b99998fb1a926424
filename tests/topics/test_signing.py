"""Tests that a signature is valid for one server, one use and a short time, and that nobody can forge it."""

import pytest

from topics.signing import APART, Signer, Unsigned

KEY = b"k" * 32
REQUEST = ("GET", "192.0.2.1:6066", "/v1/attempts?since=0&by=user")


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_signed_request_is_known_once() -> None:
    ours, worker = Signer(KEY), Signer(KEY)
    signed = ours.request(*REQUEST)
    assert worker.check(signed.header, *REQUEST) == signed.nonce
    with pytest.raises(Unsigned, match="made before"):
        worker.check(signed.header, *REQUEST)
    assert KEY.decode() not in signed.header


@pytest.mark.parametrize(
    "other",
    [
        ("POST", *REQUEST[1:]),
        ("GET", "192.0.2.2:6066", REQUEST[2]),
        (*REQUEST[:2], "/v1/attempts?since=0&by=service"),
        ("GET", "192.0.2.1:6066/v1/attempts", "?since=0&by=user"),
    ],
)
def test_it_is_good_for_nothing_else(other: tuple[str, str, str]) -> None:
    with pytest.raises(Unsigned, match="is another"):
        Signer(KEY).check(Signer(KEY).request(*REQUEST).header, *other)


def test_another_key_and_no_signature_are_refused() -> None:
    with pytest.raises(Unsigned, match="is another"):
        Signer(KEY).check(Signer(b"j" * 32).request(*REQUEST).header, *REQUEST)
    for header in (
        "",
        "Bearer x",
        "Ogrewatch",
        f"Ogrewatch 1.{'0' * 32}.{'0' * 63}",
        f"Ogrewatch 1.é{'0' * 31}.{'0' * 64}",
    ):
        with pytest.raises(Unsigned, match="OGREWATCH_SECRET"):
            Signer(KEY).check(header, *REQUEST)


def test_it_is_good_while_clocks_may_differ_and_is_remembered_as_long() -> None:
    ours, workers = Clock(), Clock()
    signer, worker = Signer(KEY, ours), Signer(KEY, workers)
    signed = signer.request(*REQUEST)
    for apart in (-APART - 1, APART + 1):
        workers.now = ours.now + apart
        with pytest.raises(Unsigned, match="31 s apart"):
            worker.check(signed.header, *REQUEST)
    workers.now = ours.now - APART
    worker.check(signed.header, *REQUEST)
    for later in range(0, 2 * APART + 1, 5):
        workers.now = ours.now - APART + later
        worker.check(Signer(KEY, workers).request(*REQUEST).header, *REQUEST)
        with pytest.raises(Unsigned, match="made before"):
            worker.check(signed.header, *REQUEST)


def test_an_answer_belongs_to_its_request() -> None:
    ours, worker = Signer(KEY), Signer(KEY)
    nonce = ours.request(*REQUEST).nonce
    signature = worker.answer(nonce, 200, b"{}")
    assert ours.is_answer(signature, nonce, 200, b"{}")
    for other in ((signature, nonce, 200, b"[]"), (signature, nonce, 503, b"{}"), (signature, "0" * 32, 200, b"{}")):
        assert not ours.is_answer(*other)
    assert not ours.is_answer("", nonce, 200, b"{}")
    assert not ours.is_answer("é", nonce, 200, b"{}")
    assert not ours.is_answer(Signer(b"j" * 32).answer(nonce, 200, b"{}"), nonce, 200, b"{}")
