"""Tables that map messages and JSON records to the columns of an event."""
