"""A definition for AWS Batch as a state machine: wave after wave of `batch:submitJob.sync`.

What differs from one workflow to the next stands in the execution's input, as `workers.manager.batch.starting` writes
it: the arguments, the queue, and the job definition of each state. Containers are given what those of the first
clients are: jobs that wait for none `_BATCH_START`, the arguments as a JSON array; others `_BATCH_DEPENDENCIES`, the
ids of the jobs that they wait for, with commas between them.
"""

import re
from typing import Any

from workers.arns import Place
from workers.manager.batch.graph import Graph, JobState
from workers.manager.translation.additions import EXECUTION_NAME

ARGUMENTS, QUEUE, JOB_DEFINITIONS = "arguments", "queue", "jobDefinitions"
"""The keys of the execution's input."""
_JOB_NAME_LIMIT = 128
_REFUSED_IN_JOB_NAMES = re.compile(r"[^A-Za-z0-9_-]")
"""SubmitJob, AWS Batch API reference: jobName."""


def batch_machine(graph: Graph, place: Place, namespace: str) -> dict[str, Any]:
    """The state machine of a graph, in a namespace."""
    resource = f"arn:{place.partition}:states:::batch:submitJob.sync"
    variables = {name: f"job{number}" for number, name in enumerate(graph.states)}
    states: dict[str, Any] = {}
    steps = [_step(number, wave) for number, wave in enumerate(graph.waves)]
    for wave, step, after in zip(graph.waves, steps, [*steps[1:], None], strict=True):
        tasks = {name: _task(graph.states[name], resource, namespace, variables) for name in wave}
        state = _alone(tasks[step], variables[step]) if len(wave) == 1 else _together(tasks, variables)
        states[step] = state | ({"Next": after} if after else {"End": True})
    return {"QueryLanguage": "JSONata", "StartAt": steps[0], "States": states}


def _step(number: int, wave: list[str]) -> str:
    return wave[0] if len(wave) == 1 else f"_WAVE {number + 1}"


def _task(state: JobState, resource: str, namespace: str, variables: dict[str, str]) -> dict[str, Any]:
    environment = [{"Name": EXECUTION_NAME, "Value": f"{{% $states.input.{EXECUTION_NAME} %}}"}]
    if state.after:
        ids = " & ',' & ".join(f"${variables[name]}" for name in state.after)
        environment.append({"Name": "_BATCH_DEPENDENCIES", "Value": f"{{% {ids} %}}"})
    else:
        environment.append({"Name": "_BATCH_START", "Value": f"{{% $states.input.{ARGUMENTS} %}}"})
    arguments: dict[str, Any] = {
        "JobName": job_name(state, namespace),
        "JobQueue": f"{{% $states.input.{QUEUE} %}}",
        "JobDefinition": f"{{% $lookup($states.input.{JOB_DEFINITIONS}, {_text(state.name)}) %}}",
        "ContainerOverrides": {"Environment": environment},
    }
    if state.attempts is not None:
        arguments["RetryStrategy"] = {"Attempts": state.attempts}
    limit = {} if state.timeout is None else {"TimeoutSeconds": state.timeout}
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, **limit}


def _alone(task: dict[str, Any], variable: str) -> dict[str, Any]:
    return task | {"Assign": {variable: "{% $states.result.JobId %}"}, "Output": "{% $states.input %}"}


def _together(tasks: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
    told = {"Output": {"JobId": "{% $states.result.JobId %}"}, "End": True}
    return {
        "Type": "Parallel",
        "Branches": [{"StartAt": name, "States": {name: task | told}} for name, task in tasks.items()],
        "Assign": {variables[name]: f"{{% $states.result[{n}].JobId %}}" for n, name in enumerate(tasks)},
        "Output": "{% $states.input %}",
    }


def job_name(state: JobState, namespace: str) -> str:
    """`NAMESPACE--RESOURCE`, or `default--STATE` where there is no namespace."""
    name = f"{namespace}--{state.resource}" if namespace else f"default--{state.name}"
    return _REFUSED_IN_JOB_NAMES.sub("-", name)[:_JOB_NAME_LIMIT]


def _text(value: str) -> str:
    """A text in JSONata."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
