"""Answers HTTP requests, with one module for each family of endpoints."""
