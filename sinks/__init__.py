"""Writes batches of documents to a store."""
