"""Judges retained events by rules, as the detect role would have judged them."""
