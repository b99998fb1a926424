"""HTTP in, raw topics out."""
