"""shadow-utils and adduser: who created, changed or deleted users, groups and passwords."""
