"""Generated state machines: valid ones over the whole language, and ones with something knocked over."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

json_keys = st.text(max_size=6).filter(lambda key: not key.endswith(".$"))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8).filter(lambda text: "{%" not in text and "%}" not in text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(json_keys, inner, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(json_keys, json_values, max_size=3)
paths = st.sampled_from(["$", "$.a", "$.a.b[0]", "$['a b']", "$$.Execution.Input.x", "$kept.x", "$.a[*]", "$..a"])
reference_paths = st.sampled_from(["$", "$.a", "$.a.b[0]", "$['a b']"])
single_paths = reference_paths | st.sampled_from(["$$.Execution.Input.x", "$kept.x"])
calls = st.sampled_from(["States.UUID()", "States.Format('{} of {}', $.a, States.MathAdd($.b, 1))"])
expressions = st.sampled_from(["{% $states.input.a %}", "{% $states.context.State.Name %}", "{% [1..3] %}"])
seconds = st.integers(1, 99_999_999)
names = st.text(min_size=1, max_size=12).filter(lambda name: not name.startswith("States."))
moments = st.sampled_from(["2024-03-14T01:59:00Z", "2024-03-14T01:59:00.5+01:00"])
resources = st.sampled_from(
    [
        "arn:aws:states:us-east-1:123456789012:activity:add",
        "arn:aws:states:us-east-1:123456789012:activity:NS--add",
        "arn:aws:lambda:us-east-1:123456789012:function:f",
        "arn:aws:states:::glue:startJobRun.sync",
        "arn:aws:states:::batch:submitJob.sync",
        "arn:aws:states:::sns:publish",
    ]
)


def maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def templates(draw: st.DrawFn, *, jsonata: bool) -> Any:
    found = draw(json_objects)
    if jsonata:
        return found | draw(st.dictionaries(json_keys, expressions, max_size=2))
    computed = draw(st.dictionaries(json_keys, paths | calls, max_size=2))
    return found | {f"{key}.$": value for key, value in computed.items() if key not in found}


def variables(*, jsonata: bool) -> st.SearchStrategy[dict[str, Any]]:
    kept = maybe(kept=json_values, other=json_values)
    return kept if jsonata else kept.flatmap(lambda found: st.just(found | {"computed.$": "$.a"}))


def comparisons() -> st.SearchStrategy[dict[str, Any]]:
    def compared(family: str, value: st.SearchStrategy[Any], orders: list[str]) -> st.SearchStrategy[dict[str, Any]]:
        constant = st.tuples(st.sampled_from([f"{family}{order}" for order in orders]), value)
        path = st.tuples(st.sampled_from([f"{family}{order}Path" for order in orders]), paths)
        return st.tuples(paths, constant | path).map(lambda pair: {"Variable": pair[0], pair[1][0]: pair[1][1]})

    orders = ["Equals", "LessThan", "GreaterThanEquals"]
    tests = st.tuples(paths, st.sampled_from(["IsPresent", "IsNull", "IsTimestamp"]), st.booleans())
    return (
        compared("String", st.text(max_size=5), orders)
        | compared("Numeric", st.integers() | st.floats(allow_nan=False, allow_infinity=False), orders)
        | compared("Timestamp", moments, orders)
        | compared("Boolean", st.booleans(), ["Equals"])
        | tests.map(lambda found: {"Variable": found[0], found[1]: found[2]})
        | st.tuples(paths, st.text(max_size=5)).map(lambda found: {"Variable": found[0], "StringMatches": found[1]})
    )


def conditions(*, jsonata: bool) -> st.SearchStrategy[dict[str, Any]]:
    if jsonata:
        return (expressions | st.booleans()).map(lambda found: {"Condition": found})
    commented = st.tuples(comparisons(), maybe(Comment=st.text(max_size=4))).map(lambda pair: pair[0] | pair[1])
    return st.recursive(
        commented,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"And": parts})
            | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"Or": parts})
            | inner.map(lambda part: {"Not": part})
        ),
        max_leaves=4,
    )


def retriers() -> st.SearchStrategy[list[dict[str, Any]]]:
    settings = maybe(
        IntervalSeconds=st.integers(1, 60),
        MaxAttempts=st.integers(0, 99_999_999),
        BackoffRate=st.integers(1, 5) | st.floats(1, 5),
        MaxDelaySeconds=st.integers(61, 31_622_399),
        JitterStrategy=st.sampled_from(["FULL", "NONE"]),
        Comment=st.text(max_size=4),
    )
    errors = st.lists(names, min_size=1, max_size=3)
    return st.lists(st.tuples(errors, settings).map(lambda pair: {"ErrorEquals": pair[0]} | pair[1]), max_size=2)


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    """A valid definition in ASL."""
    language = draw(st.sampled_from([None, "JSONPath", "JSONata"]))
    machine = _Branches(draw, jsonata=language == "JSONata").branch(depth=2)
    machine |= draw(maybe(Comment=st.text(max_size=5), Version=st.just("1.0"), TimeoutSeconds=seconds))
    return machine if language is None else {"QueryLanguage": language} | machine


class _Branches:
    """Makes branches whose states have names that are unique in the machine."""

    def __init__(self, draw: st.DrawFn, *, jsonata: bool) -> None:
        self._draw = draw
        self._jsonata = jsonata
        self._count = 0

    def branch(self, depth: int) -> dict[str, Any]:
        count = self._draw(st.integers(1, 4 if depth else 2))
        ids = [self._name() for _ in range(count)]
        states = {name: self._state(after, ids, depth) for name, after in zip(ids, [*ids[1:], None], strict=True)}
        return {"StartAt": ids[0], "States": states}

    def _name(self) -> str:
        self._count += 1
        return f"{self._draw(st.text(max_size=4))}{self._count}"

    def _state(self, after: str | None, ids: list[str], depth: int) -> dict[str, Any]:
        draw = self._draw
        own = draw(st.sampled_from([None, "JSONata"]))
        jsonata = self._jsonata or own == "JSONata"
        kinds = ["Pass", "Task", "Wait", *(["Map", "Parallel"] if depth else [])]
        kind = draw(st.sampled_from([*kinds, "Choice"] if after else [*kinds, "Succeed", "Fail"]))
        state: dict[str, Any] = {"Type": kind} | ({"QueryLanguage": own} if own else {})
        state |= draw(maybe(Comment=st.text(max_size=5)))
        if kind == "Fail":
            state |= draw(maybe(Error=names, Cause=names) if jsonata else maybe(ErrorPath=single_paths, Cause=names))
            return state
        if jsonata:
            state |= draw(maybe(Output=json_values | expressions | templates(jsonata=True)))
        else:
            state |= draw(maybe(InputPath=paths | st.none(), OutputPath=paths | st.none()))
        if kind == "Succeed":
            return state
        state |= draw(maybe(Assign=variables(jsonata=jsonata)))
        if kind == "Choice":
            return state | self._choices(after, ids, jsonata)
        state |= {"Next": after} if after else {"End": True}
        return state | getattr(self, f"_{kind.lower()}")(ids, depth, jsonata)

    def _choices(self, after: str | None, ids: list[str], jsonata: bool) -> dict[str, Any]:
        rule = st.tuples(conditions(jsonata=jsonata), st.sampled_from(ids), maybe(Assign=variables(jsonata=jsonata)))
        rules = st.lists(rule.map(lambda found: found[0] | {"Next": found[1]} | found[2]), min_size=1, max_size=3)
        return {"Choices": self._draw(rules), "Default": after}

    def _pass(self, _: list[str], __: int, jsonata: bool) -> dict[str, Any]:
        if jsonata:
            return {}
        placed = reference_paths | st.none()
        return self._draw(maybe(Result=json_values, ResultPath=placed, Parameters=templates(jsonata=False)))

    def _wait(self, _: list[str], __: int, jsonata: bool) -> dict[str, Any]:
        given = [st.tuples(st.just("Seconds"), st.integers(0, 9)), st.tuples(st.just("Timestamp"), moments)]
        if jsonata:
            given.append(st.tuples(st.just("Seconds"), expressions))
        else:
            given.append(st.tuples(st.sampled_from(["SecondsPath", "TimestampPath"]), reference_paths))
        key, value = self._draw(st.one_of(given))
        return {key: value}

    def _failing(self, ids: list[str], jsonata: bool) -> dict[str, Any]:
        catcher = st.tuples(
            st.lists(names, min_size=1, max_size=2),
            st.sampled_from(ids),
            maybe(Comment=st.text(max_size=4)) if jsonata else maybe(ResultPath=reference_paths | st.none()),
        ).map(lambda found: {"ErrorEquals": found[0], "Next": found[1]} | found[2])
        fields: dict[str, Any] = {"Retry": retriers(), "Catch": st.lists(catcher, max_size=2)}
        if not jsonata:
            fields |= {"ResultPath": reference_paths | st.none(), "ResultSelector": templates(jsonata=False)}
        return self._draw(maybe(**fields))

    def _task(self, ids: list[str], _: int, jsonata: bool) -> dict[str, Any]:
        payload = templates(jsonata=jsonata) | st.just({"JobName": "job", "JobDefinition": "d"})
        fields: dict[str, Any] = {"HeartbeatSeconds": st.integers(1, 50), "TimeoutSeconds": st.integers(51, 99)}
        fields["Arguments" if jsonata else "Parameters"] = payload
        fields["Credentials"] = st.just({"RoleArn": "arn:aws:iam::123456789012:role/r"})
        return {"Resource": self._draw(resources)} | self._draw(maybe(**fields)) | self._failing(ids, jsonata)

    def _parallel(self, ids: list[str], depth: int, jsonata: bool) -> dict[str, Any]:
        branches = [self.branch(depth - 1) for _ in range(self._draw(st.integers(1, 2)))]
        return {"Branches": branches} | self._failing(ids, jsonata)

    def _map(self, ids: list[str], depth: int, jsonata: bool) -> dict[str, Any]:
        processor = self.branch(depth - 1)
        config = self._draw(maybe(ProcessorConfig=st.just({"Mode": "INLINE"})))
        fields: dict[str, Any] = {"MaxConcurrency": st.integers(0, 9), "ItemSelector": templates(jsonata=jsonata)}
        fields |= {"Items": expressions | st.lists(json_values)} if jsonata else {"ItemsPath": reference_paths}
        key = self._draw(st.sampled_from(["ItemProcessor", "Iterator"]))
        return {key: config | processor} | self._draw(maybe(**fields)) | self._failing(ids, jsonata)


@st.composite
def knocked_over(draw: st.DrawFn) -> Any:
    """A definition in which one thing is not as it was: removed, renamed or replaced."""
    machine = deepcopy(draw(machines()))  # parts of it are the strategies' own
    holders = [holder for holder in _containers(machine) if holder]
    holder = draw(st.sampled_from(holders))
    if isinstance(holder, list):
        holder[draw(st.integers(0, len(holder) - 1))] = draw(json_values)
        return machine
    key = draw(st.sampled_from(list(holder)))
    match draw(st.integers(0, 2)):
        case 0:
            del holder[key]
        case 1:
            holder[draw(st.sampled_from(["Next", "Retry", "Odd", "End", "Type", "Variable", ""]))] = holder.pop(key)
        case _:
            holder[key] = draw(json_values)
    return machine


def _containers(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    here = [value] if isinstance(value, dict | list) else []
    return here + [one for part in inner for one in _containers(part)]
