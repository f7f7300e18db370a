"""The errors that the service answers with. Codes and wording are AWS's (API reference, recorded answers)."""

from workers.errors import WorkersError


class ApiError(WorkersError):
    """A request that is refused: `code` is what an SDK raises, `message` what it prints."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def activity_does_not_exist(arn: str) -> ApiError:
    return ApiError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")


def execution_does_not_exist(arn: str) -> ApiError:
    return ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def state_machine_does_not_exist(arn: str) -> ApiError:
    return ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def state_machine_type_not_supported() -> ApiError:
    return ApiError("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")


def resource_not_found() -> ApiError:
    return ApiError("ResourceNotFound", "Request references a resource that does not exist.")


def invalid_arn(why: str) -> ApiError:
    return ApiError("InvalidArn", f"Invalid Arn: '{why}'")


def invalid_name(name: str) -> ApiError:
    return ApiError("InvalidName", f"Invalid Name: '{name}'")


def invalid_definition(why: str) -> ApiError:
    return ApiError("InvalidDefinition", f"Invalid State Machine Definition: '{why}'")


def invalid_token() -> ApiError:
    """For task tokens and page tokens alike."""
    return ApiError("InvalidToken", "Invalid Token: 'Invalid token'")


def task_does_not_exist() -> ApiError:
    return ApiError("TaskDoesNotExist", "Task Does Not Exist: 'Provided task does not exist'")


def task_timed_out() -> ApiError:
    return ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def conflict(message: str) -> ApiError:
    return ApiError("ConflictException", message)


def validation(message: str) -> ApiError:
    return ApiError("ValidationException", message)
