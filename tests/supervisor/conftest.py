from tests.both_clients import pytest_generate_tests, workers_client

__all__ = ["pytest_generate_tests", "workers_client"]
