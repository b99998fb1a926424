"""Tests how ASN records become columns."""

import pytest

from enrichers.asn import asn_columns


def test_number_and_organization() -> None:
    record = {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Networks"}
    assert asn_columns(record) == {"as_number": 64496, "as_organization_name": "Example Networks"}


@pytest.mark.parametrize(
    "record", [None, "AS64496", [], {}, {"autonomous_system_number": "64496", "autonomous_system_organization": ""}]
)
def test_what_is_absent_or_of_a_wrong_type_is_left_out(record: object) -> None:
    assert asn_columns(record) == {}
