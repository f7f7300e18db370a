"""How long a definition of 500 states takes to be read and judged; the bound is 150 ms.

Run: python benchmarks/machines_validate.py
"""

import json
import time
from collections.abc import Callable
from typing import Any

from workers.arns import Place
from workers.machines import StateMachine, from_asl, parse, to_asl
from workers.machines.language import intrinsics, jsonata, paths
from workers.machines.loading.yaml_text import write_yaml

STATES = 500
HERE = Place("aws", "us-east-1", "123456789012")


def machine(*, with_jsonata: bool) -> dict[str, Any]:
    """Tasks, choices, passes and waits by turns, every expression written differently."""
    states: dict[str, Any] = {"Done": {"type": "succeed"}}
    for i in range(STATES - 1):
        after = f"S{i + 1}" if i < STATES - 2 else "Done"
        states[f"S{i}"] = (_jsonata if with_jsonata else _jsonpath)(i, after)
    language = {"query_language": "JSONata"} if with_jsonata else {}
    return {"start_at": "S0", "timeout_seconds": 3600, **language, "states": states}


def _jsonpath(i: int, after: str) -> dict[str, Any]:
    match i % 4:
        case 0:
            return _task(i, after) | {
                "parameters": {f"a{i}.$": f"$.a{i}.b[0]", "text.$": f"States.Format('{{}} {i}', $.b)", "fixed": [i]},
                "result_path": f"$.result{i}",
            }
        case 1:
            rule = {"condition": ["and", [">=", f"$.v{i}", 20], ["not", ["=", f"$.w{i}", "x"]]], "next": "Done"}
            return {"type": "choice", "choices": [rule], "default": after}
        case 2:
            return {"type": "pass", "parameters": {f"x{i}.$": f"$.a{i}['b c']"}, "next": after}
        case _:
            return {"type": "wait", "seconds_path": f"$.wait{i}", "next": after}


def _jsonata(i: int, after: str) -> dict[str, Any]:
    match i % 4:
        case 0:
            return _task(i, after) | {"arguments": {"a": f"{{% $states.input.a{i} %}}"}, "assign": {"kept": i}}
        case 1:
            rule = {"condition": f"{{% $states.input.v{i} >= 20 and $states.input.w != 'x' %}}", "next": "Done"}
            return {"type": "choice", "choices": [rule], "default": after}
        case 2:
            return {"type": "pass", "output": {"x": f"{{% $sum([1..{i}]) %}}"}, "next": after}
        case _:
            return {"type": "wait", "seconds": f"{{% $states.input.wait{i} %}}", "next": after}


def _task(i: int, after: str) -> dict[str, Any]:
    return {
        "type": "task",
        "resource": f"work-{i}",
        "timeout_seconds": 60,
        "heartbeat_seconds": 10,
        "retry": [{"error_equals": "States.ALL", "max_attempts": 3}],
        "catch": [{"error_equals": "States.ALL", "next": "Done"}],
        "next": after,
    }


def measured(work: Callable[[], Any]) -> float:
    """Milliseconds of one core, the best of eleven runs; nothing is remembered from one run to the next."""
    times = []
    for _ in range(11):
        for remembered in (paths.parse_path, intrinsics.parse_call, jsonata.check_expression):
            remembered.cache_clear()
        started = time.process_time()
        work()
        times.append((time.process_time() - started) * 1000)
    return min(times)


def main() -> None:
    for name, with_jsonata in (("JSONPath", False), ("JSONata", True)):
        notation = machine(with_jsonata=with_jsonata)
        asl = to_asl(notation, place=HERE)
        as_json, as_yaml = json.dumps(asl), write_yaml(notation)
        print(f"{name}, {STATES} states, {len(as_json):,} bytes of ASL")
        for what, work in (
            ("validate, ASL as JSON text", lambda text=as_json: parse(text).problems),
            ("validate, notation as YAML text", lambda text=as_yaml: parse(text).problems),
            ("notation to ASL", lambda data=notation: to_asl(data, place=HERE)),
            ("ASL to notation", lambda data=asl: from_asl(data, place=HERE)),
            ("ASL to model", lambda data=asl: StateMachine.model_validate(data)),
        ):
            print(f"  {what:34}{measured(work):8.1f} ms")


if __name__ == "__main__":
    main()
