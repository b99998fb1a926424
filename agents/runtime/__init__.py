"""What all roles share: their Faust app, their schemas, and how they meet failure."""
