"""polkit: who was given rights by the desktop, and what pkexec ran."""
