"""Turns an ASN record into the `as_*` columns, whose names lack the end (`source_` or `destination_`).

The files of MaxMind, DB-IP and @ip-location-db agree on the two names:
https://dev.maxmind.com/geoip/docs/databases/asn/.
"""

from typing import Any

from enrichers.records import value

COLUMNS = ("as_number", "as_organization_name")


def asn_columns(record: object) -> dict[str, Any]:
    """Return the columns of a record. What is absent, empty or of a wrong type is left out; never raises."""
    found = {
        "as_number": value(record, int, "autonomous_system_number"),
        "as_organization_name": value(record, str, "autonomous_system_organization"),
    }
    return {column: content for column, content in found.items() if content is not None}
