"""What the count role counts, how it stays exact, and how it answers."""
