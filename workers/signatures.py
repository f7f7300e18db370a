"""What a handler's signature asks of a task's input and promises of its result."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NotRequired, Required, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from typing_extensions import TypedDict

from workers.errors import ErrorName, RegistrationError, WorkersError
from workers.payloads.streams import SetAside, is_stream
from workers.task import Task

_PROBLEMS_SHOWN = 10


class InvalidInputError(WorkersError):
    """The input of a task does not fit the signature of its handler."""

    error_name = ErrorName.INVALID_INPUT


class InvalidOutputError(WorkersError):
    """A handler returned what does not fit its annotation, or what JSON cannot hold."""

    error_name = ErrorName.INVALID_OUTPUT


@dataclass(frozen=True, slots=True)
class Arguments:
    """How a task's input becomes the arguments of a call."""

    activity: str
    keys: TypeAdapter[dict[str, Any]] | None = None
    """Checks the keys that parameters name; None where no parameter wants one."""
    whole: TypeAdapter[Any] | None = None
    """Checks the whole input; None where no parameter wants it."""
    names: frozenset[str] = frozenset()
    """The keys that parameters name."""
    parameters: frozenset[str] = frozenset()
    """The names of those parameters."""
    rest: TypeAdapter[dict[str, Any]] | None = None
    """Checks what `**kwargs` takes: the keys that no parameter names; None where there is none."""
    task_position: int | None = None
    """The place of a positional-only `Task` parameter."""
    task_name: str | None = None
    """The name of any other `Task` parameter."""
    streams: frozenset[tuple[str, ...]] = frozenset()
    """The places in the input that parameters take as a `PayloadStream`: `(key,)`, or () for the whole input."""

    def read(self, task: Task) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments for `task`. Raises `InvalidInputError`."""
        positional: list[Any] = []
        named: dict[str, Any] = {}
        if self.whole:
            positional.append(self._checked(self.whole, task.input))
        elif self.keys:
            given = self._object(task.input)
            named = self._checked(self.keys, given)
            if self.rest:
                # Neither a key that was taken nor the name of a parameter whose key is another, its alias.
                left = given.keys() - self.names - self.parameters
                named |= self._checked(self.rest, {key: given[key] for key in left})
        if self.task_position is not None:
            positional.insert(self.task_position, task)
        if self.task_name:
            named[self.task_name] = task
        return positional, named

    def _object(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            wanted = ", ".join(sorted(self.names)) or "any name"
            raise InvalidInputError(
                f"activity {self.activity} takes an object with keys {wanted}; the input is {_found(value)}"
            )
        return value

    def _checked(self, adapter: TypeAdapter[Any], value: Any) -> Any:
        try:
            return adapter.validator.validate_python(value)  # without a detour: once for each task
        except ValidationError as error:
            message = f"the input of activity {self.activity} does not fit: {explain(error)}"
            raise InvalidInputError(message) from None
        except RecursionError:
            raise InvalidInputError(f"the input of activity {self.activity} is nested too deeply") from None


@dataclass(frozen=True, slots=True)
class Result:
    """What a handler returns, and how it becomes JSON-ready data."""

    activity: str
    adapter: TypeAdapter[Any]
    checked: bool = field(default=True)
    """Whether there is an annotation to check against."""

    def dump(self, returned: Any) -> Any:
        """`returned` as JSON-ready data, in which a `PayloadStream` stays one. Raises `InvalidOutputError`."""
        try:
            value = self.adapter.validator.validate_python(returned) if self.checked else returned
            streams = SetAside()
            dumped = self.adapter.serializer.to_python(value, mode="json", warnings="none", context=streams)
            return streams.put_back(dumped)
        except ValidationError as error:
            message = f"what activity {self.activity} returned does not fit its annotation: {explain(error)}"
            raise InvalidOutputError(message) from None
        except (RecursionError, ValueError) as error:
            message = f"activity {self.activity} returned what JSON cannot hold: {_one_line(error)}"
            raise InvalidOutputError(message) from None


def read_signature(activity: str, function: Callable[..., Any]) -> tuple[Arguments, Result]:
    """What `function` takes and returns. Raises `RegistrationError` for what could never work."""
    refuse = f"activity {activity}: {getattr(function, '__qualname__', repr(function))}"
    if not callable(function):
        raise RegistrationError(f"{refuse} cannot be called: register a function")
    if inspect.isclass(function):
        raise RegistrationError(f"{refuse} is a class: register a function or an instance with `__call__`")
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise RegistrationError(f"{refuse} is a generator: a handler returns one result")
    try:
        signature, hints = inspect.signature(function), _hints(function)
    except Exception as error:  # an annotation in quotes is code, and may raise anything
        raise RegistrationError(f"{refuse} has a signature that cannot be read: {error}") from error
    parameters = [
        parameter.replace(annotation=hints.get(parameter.name, Any)) for parameter in signature.parameters.values()
    ]
    arguments = _arguments(activity, refuse, parameters)
    annotated = "return" in hints
    adapter = _adapter(hints.get("return", Any), f"{refuse}: the result")
    return arguments, Result(activity, adapter, checked=annotated and hints["return"] is not Any)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    bare = function
    while isinstance(bare, partial):
        bare = bare.func
    if not hasattr(bare, "__annotations__") or not hasattr(bare, "__name__"):
        bare = type(bare).__call__
    return get_type_hints(bare, include_extras=True)


def _arguments(activity: str, refuse: str, parameters: Sequence[inspect.Parameter]) -> Arguments:
    tasks = [parameter for parameter in parameters if _is_task(parameter.annotation)]
    others = [parameter for parameter in parameters if parameter not in tasks]
    whole = [parameter for parameter in others if parameter.kind is parameter.POSITIONAL_ONLY]
    keyed = [
        parameter for parameter in others if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
    ]
    rest = next((parameter for parameter in parameters if parameter.kind is parameter.VAR_KEYWORD), None)

    if parameters and parameters[0].name == "self":
        raise RegistrationError(f"{refuse} is a method without its object: register `instance.method`")
    if len(tasks) > 1:
        raise RegistrationError(f"{refuse} takes two tasks: there is only one")
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        raise RegistrationError(f"{refuse} takes *args: an input has keys, not positions; name the parameters")
    if rest and _is_task(rest.annotation):
        raise RegistrationError(f"{refuse} takes the task as **{rest.name}: name one parameter for it")
    if len(whole) > 1:
        names = ", ".join(parameter.name for parameter in whole)
        raise RegistrationError(f"{refuse} has several positional-only parameters ({names}): only one can be the input")
    if whole and (wanting := [p.name for p in keyed if p.default is p.empty]):
        raise RegistrationError(
            f"{refuse} takes the whole input as {whole[0].name!r}, so nothing is left for {', '.join(wanting)}: "
            "give them defaults, or drop the `/`"
        )

    task = tasks[0] if tasks else None
    positional_task = task is not None and task.kind is task.POSITIONAL_ONLY
    fields = {} if whole else {parameter.name: parameter for parameter in keyed}
    wants_keys = not whole and (fields or rest)
    return Arguments(
        activity=activity,
        keys=_keys(refuse, fields) if wants_keys else None,
        whole=_adapter(whole[0].annotation, f"{refuse}: parameter {whole[0].name}") if whole else None,
        names=frozenset(_key(parameter) for parameter in fields.values()),
        parameters=frozenset(fields),
        rest=_rest(refuse, rest) if rest and not whole else None,
        task_position=parameters.index(task) if task and positional_task else None,
        task_name=task.name if task and not positional_task else None,
        streams=frozenset(() if whole else (_key(one),) for one in whole or keyed if is_stream(one.annotation)),
    )


def _is_task(annotation: Any) -> bool:
    """`Task`, or `Task | None` of a function that is also called without one."""
    return annotation is Task or bool(annotation == Task | None)


def _key(parameter: inspect.Parameter) -> str:
    """The key of the input that becomes `parameter`: its alias, or else its name."""
    alias = FieldInfo.from_annotation(parameter.annotation).validation_alias
    return alias if isinstance(alias, str) else parameter.name


def _keys(refuse: str, fields: dict[str, inspect.Parameter]) -> TypeAdapter[dict[str, Any]]:
    try:
        wanted: dict[str, Any] = {
            name: (Required if parameter.default is parameter.empty else NotRequired)[parameter.annotation]
            for name, parameter in fields.items()
        }
        return _adapter(TypedDict("Input", wanted), refuse)  # type: ignore[operator]  # keys known only now
    except (RegistrationError, TypeError) as error:
        for name, parameter in fields.items():
            _adapter(parameter.annotation, f"{refuse}: parameter {name}")  # alone, so that the error names it
        raise RegistrationError(f"{refuse} has parameters that JSON cannot become: {_one_line(error)}") from error


def _rest(refuse: str, rest: inspect.Parameter) -> TypeAdapter[dict[str, Any]]:
    return _adapter(dict[str, rest.annotation], f"{refuse}: **{rest.name}")  # type: ignore[name-defined]


def _adapter(annotation: Any, where: str) -> TypeAdapter[Any]:
    try:
        try:
            # NaN must reach the encoder, which refuses it: by default pydantic would make it null.
            adapter = TypeAdapter(annotation, config=ConfigDict(ser_json_inf_nan="constants"))
        except PydanticUserError as error:
            if error.code != "type-adapter-config-unused":
                raise
            adapter = TypeAdapter(annotation)  # models, dataclasses and the like bring a configuration of their own
        if not adapter.pydantic_complete:
            adapter.rebuild(raise_errors=True)  # says which name is not defined
    except Exception as error:  # a type that makes its own schema may raise anything
        raise RegistrationError(f"{where} has a type that JSON cannot become: {_one_line(error)}") from error
    return adapter


def explain(error: ValidationError) -> str:
    """The problems that `error` found, each with its place, what was expected and what kind of value was found."""
    problems = error.errors(include_url=False, include_context=False)
    lines = [
        (f"{_place(problem['loc'])}: " if problem["loc"] else "") + problem["msg"] + _but(problem)
        for problem in problems[:_PROBLEMS_SHOWN]
    ]
    if len(problems) > _PROBLEMS_SHOWN:
        lines.append(f"and {len(problems) - _PROBLEMS_SHOWN} more")
    return "; ".join(lines)


def _but(problem: Any) -> str:
    return "" if problem["type"] == "missing" else f" (found {_found(problem['input'])})"


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _found(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    names |= {int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)


def _one_line(error: BaseException) -> str:
    """What `error` says, without pydantic's advice and addresses, which come after the first sentence or paragraph."""
    said = " ".join(str(error).split("\n\n")[0].split())
    return said.split(". ")[0] or type(error).__name__
