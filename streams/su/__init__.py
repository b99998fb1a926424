"""su: who became whom, and who was not let."""
