"""The REST API of the workflow manager."""
