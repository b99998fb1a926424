"""State that outlives a worker, kept in compacted changelog topics."""
