"""Definitions: their versions, how two differ, their pictures and problems."""
