"""The input of an execution that runs jobs of AWS Batch: arguments, queue, job definitions."""

import json
from collections.abc import Mapping
from typing import Any

from workers.manager.batch.graph import Graph, read_graph
from workers.manager.batch.machine import ARGUMENTS, JOB_DEFINITIONS, QUEUE
from workers.manager.errors import InvalidError, NotFoundError
from workers.manager.model import Workflow, WorkflowDefinition
from workers.manager.store.interface import StateResourceStore


def graph_of(definition: WorkflowDefinition, start_at: str | None = None) -> Graph:
    """The jobs of a definition, from a state on."""
    graph = read_graph(definition.state_machine or {})
    return graph.begun_at(start_at) if start_at else graph


def read_arguments(text: str) -> list[str]:
    """The arguments in a workflow's input: a JSON array of texts. Raises `InvalidError`."""
    try:
        value = json.loads(text or "[]")
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"input is not a valid JSON array: {error}") from None
    if isinstance(value, dict) and value.keys() <= {"args"}:  # as POST /jobs/ writes it
        value = value.get("args", [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidError("input is not a valid JSON array of strings: jobs of AWS Batch are given arguments")
    return value


async def batch_input(
    workflow: Workflow, definition: WorkflowDefinition, *, queues: Mapping[str, str], resources: StateResourceStore
) -> dict[str, Any]:
    """What the execution of `workflow` is given, but for its name.

    `queues`: queues of AWS Batch by the names that workflows have for them. Raises `InvalidError` for a queue or a
    resource that is not known.
    """
    if (queue := queues.get(workflow.queue)) is None:
        known = ", ".join(queues) or "none"
        raise InvalidError(
            f"queue: {workflow.queue!r} is no queue of AWS Batch here: there are {known} (--batch-queue)"
        )
    definitions = {}
    for state in graph_of(definition, workflow.start_at).states.values():
        definitions[state.name] = state.resource
        if workflow.namespace:
            try:
                found = await resources.state_resource(workflow.namespace, state.resource)
            except NotFoundError:
                raise InvalidError(f"StateResource `{workflow.namespace}:{state.resource}` Not Found") from None
            definitions[state.name] = found.uri
    arguments = json.dumps(read_arguments(workflow.input), ensure_ascii=False)
    return {ARGUMENTS: arguments, QUEUE: queue, JOB_DEFINITIONS: definitions}
