"""Rules, and the engine that judges events by them."""
