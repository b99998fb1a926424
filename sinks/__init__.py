"""From a batch of events to a store."""
