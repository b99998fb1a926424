"""Handlers of the API, a module for each subject; `docs/api.md` describes paths, parameters and answers."""
