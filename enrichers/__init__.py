"""From an event to a richer event, pure functions: GeoIP and ASN."""
