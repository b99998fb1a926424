"""Dropbear: who got in, who tried and who left, on small devices and in initial ramdisks."""
