"""BIND: names asked for, clients refused, zones moved, answers that failed."""
