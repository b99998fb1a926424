"""Linux audit: what the kernel and trusted programs recorded, record by record."""
