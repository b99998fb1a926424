"""MySQL and MariaDB: who was refused, whose connection broke, errors, slow statements."""
