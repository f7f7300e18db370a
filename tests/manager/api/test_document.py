"""The OpenAPI document: kept fresh, with examples that are true, and enough for clients in other languages."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, settings

from tests.manager.api.generate import javascript
from tests.manager.api.openapi import FILE, text
from tests.manager.service import service
from workers.callbacks import requests as callback_requests
from workers.local import LocalStepFunctions
from workers.manager import model, requests
from workers.manager.api import callbacks, depends
from workers.manager.api.document import EXAMPLES

DOCUMENT = json.loads(text())
OPERATIONS = [
    (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def test_the_document_that_is_kept_is_fresh():
    assert FILE.read_text() == text(), "run python -m tests.manager.api.openapi"


HOMES: tuple[Any, ...] = (requests, model, depends, callbacks, callback_requests)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_one(name: str):
    kind = next(getattr(home, name) for home in HOMES if hasattr(home, name))
    made = kind.model_validate(EXAMPLES[name])
    again = made.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    assert again == EXAMPLES[name]


def test_every_operation_says_what_it_is_and_how_it_may_fail():
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    for _, path, operation in OPERATIONS:
        assert operation["description"]
        assert path == "/_health" or operation["responses"].keys() >= {"400", "401", "403", "503"}
        assert "422" not in operation["responses"]


@pytest.fixture(scope="module")
def url(engine: LocalStepFunctions) -> Iterator[str]:
    with service(engine) as found:
        yield found


@pytest.mark.skipif(not shutil.which("node"), reason="node, which runs JavaScript, is not on this machine")
def test_a_javascript_client_made_from_the_document_starts_a_workflow(url: str, tmp_path: Path):
    (tmp_path / "client.mjs").write_text(javascript(json.loads(FILE.read_text())))
    (tmp_path / "main.mjs").write_text(SCRIPT)
    ended = subprocess.run(
        ["node", "main.mjs", url], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said == {"status": "succeeded", "input": '{"from":"javascript"}', "refused": 404, "listed": 1}


SCRIPT = """
import { Client, Refused } from './client.mjs';
const client = new Client(process.argv[2]);
const stateMachine = { StartAt: 'a', States: { a: { Type: 'Pass', End: true } } };
await client.newWorkflowDefinition({ body: { name: 'from-javascript', stateMachine } });
const workflowDefinition = { name: 'from-javascript', version: -1 };
let workflow = await client.startWorkflow({ body: { workflowDefinition, input: '{"from":"javascript"}' } });
while (workflow.status === 'queued' || workflow.status === 'running') {
  await new Promise((resolve) => setTimeout(resolve, 50));
  workflow = await client.getWorkflowByID({ workflow_id: workflow.id });
}
const listed = await client.getWorkflows({ workflowDefinitionName: 'from-javascript', status: ['succeeded'] });
let refused = 0;
try {
  await client.getWorkflowByID({ workflow_id: 'nobody' });
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  refused = error.status;
}
console.log(JSON.stringify({ status: workflow.status, input: workflow.input, refused, listed: listed.length }));
"""


def fuzzed(url: str, operation: Any, examples: int) -> None:
    """Asks the service what the document allows, and what it does not, and compares with what it promises.

    Not all that the document allows is taken: a definition, for instance, may still be none.
    """
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

    wrongly = any(operation.iter_parameters()) or operation.body
    for mode in [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if wrongly else [])]:

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            verbosity=Verbosity.quiet,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            response = case.call(base_url=url, timeout=20)
            assert response.status_code < 500, response.text
            case.validate_response(response, excluded_checks=[positive_data_acceptance, negative_data_rejection])

        ask()


FUZZED = [(method, path) for method, path, operation in OPERATIONS if path != "/changes"]


@pytest.fixture(scope="module")
def schema() -> Any:
    import schemathesis

    return schemathesis.openapi.from_dict(DOCUMENT)


@pytest.mark.parametrize(("method", "path"), FUZZED, ids=lambda value: value)
def test_nothing_that_is_asked_is_answered_with_500_or_otherwise_than_promised(
    schema: Any, url: str, method: str, path: str
):
    fuzzed(url, schema[path][method], 5)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("method", "path"), FUZZED, ids=lambda value: value)
def test_much_that_is_asked(schema: Any, url: str, method: str, path: str):
    fuzzed(url, schema[path][method], 400)
