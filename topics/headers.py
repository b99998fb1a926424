"""Names the type of the headers of a Kafka record, which every layer passes around.

https://kafka.apache.org/documentation/#recordheader
"""

Headers = list[tuple[str, bytes | None]]
"""Name and value, in the order of the record. A name may occur more than once; a value of None is null."""
