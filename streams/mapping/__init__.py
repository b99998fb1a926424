"""Maps messages and JSON records to the columns of an event by tables."""
