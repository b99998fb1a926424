"""What the commands do, testable without a terminal."""
