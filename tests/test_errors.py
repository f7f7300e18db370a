"""The errors people read, and the error names that state machines match."""

import inspect
import re

import pytest

from workers import errors
from workers.errors import (
    ActivityError,
    ErrorName,
    ExitCode,
    MissingExtraError,
    RegistrationError,
    TaskCancelledError,
    UsageError,
    WorkersError,
)


def test_there_is_one_root():
    found = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, BaseException)]
    assert found
    assert all(issubclass(error, WorkersError) for error in found)
    assert issubclass(RegistrationError, UsageError)
    assert issubclass(MissingExtraError, UsageError)
    assert not issubclass(TaskCancelledError, UsageError)


@pytest.mark.parametrize("name", ErrorName)
def test_every_error_name_is_ours_and_one_that_step_functions_takes(name: ErrorName):
    assert re.fullmatch(r"Worker\.[A-Z][A-Za-z]+", name)
    assert len(name) <= errors.NAME_LIMIT


def test_the_released_error_names_keep_their_meaning():
    released = {
        "Worker.ShuttingDown",
        "Worker.InvalidInput",
        "Worker.InvalidOutput",
        "Worker.OutputTooLarge",
        "Worker.HandlerTimeout",
        "Worker.HandlerCrashed",
    }
    assert released <= {str(name) for name in ErrorName}


def test_exit_codes_are_a_contract():
    assert [(code.name, code.value) for code in ExitCode] == [("OK", 0), ("FAULT", 1), ("USAGE", 2), ("FORCED", 3)]


def test_an_activity_error_carries_name_message_and_cause():
    error = ActivityError("Card.Declined", "no money", cause={"code": 51})
    assert (error.error_name, str(error), error.cause) == ("Card.Declined", "no money", {"code": 51})
    assert str(ActivityError("Card.Declined")) == "Card.Declined"
    assert ActivityError("Card.Declined").cause is None


def test_a_missing_extra_says_what_to_install():
    assert str(MissingExtraError("the embedded engine", "local")) == (
        "the embedded engine needs packages that are not installed: pip install 'sfn-workers[local]'"
    )
