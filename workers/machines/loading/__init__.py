"""Definitions out of files and texts, with the line of every key."""
