"""Encodes events in Avro: schemas, schema ids, and the code that writes and reads them."""
