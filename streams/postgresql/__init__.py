"""PostgreSQL: who connected and who was refused, errors, slow statements."""
