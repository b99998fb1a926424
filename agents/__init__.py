"""The running program, and the only code that knows Faust."""
