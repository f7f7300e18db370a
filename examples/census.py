"""The census by hand, with boto3, on the embedded Step Functions or on AWS.

    workers local                                   an embedded Step Functions, in a terminal of its own
    workers run examples.census:registry --local    a worker, in another one
    python examples/census.py json                  counts a package, here Python's json

Which Step Functions it is, the environment says: the variables that `workers local` prints, or those of an AWS
account. There, `--role` names a role that Step Functions may take, and the worker runs without `--local`.
"""

import argparse
import importlib.util
import json
import time
import uuid
from pathlib import Path
from typing import Any

import boto3

from workers.demo.census import DEFINITION, registry


def create(client: Any, role: str) -> str:
    """Creates the activities and the state machine, where they do not exist; its ARN."""
    arns = [client.create_activity(name=handler.name)["activityArn"] for handler in registry]
    definition = DEFINITION.read_text().replace(
        "arn:aws:states:us-east-1:123456789012", arns[0].partition(":activity:")[0]
    )
    return client.create_state_machine(name="census", definition=definition, roleArn=role)["stateMachineArn"]


def run(client: Any, state_machine: str, package: str) -> dict[str, Any]:
    """Counts `package`, and waits for the result; what DescribeExecution says of it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not a package that this Python can import")
    given = {"package": package, "folder": str(Path(spec.submodule_search_locations[0]).resolve())}
    started = client.start_execution(
        stateMachineArn=state_machine, name=f"{package}-{uuid.uuid4().hex[:8]}", input=json.dumps(given)
    )
    while (execution := client.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
        time.sleep(0.2)
    return execution


def main() -> None:
    """Counts the package that is named on the command line."""
    parser = argparse.ArgumentParser(description="Counts a Python package, in a state machine.")
    parser.add_argument("package", help="a package that this Python can import, as json")
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/census", help="the state machine's IAM role")
    options = parser.parse_args()
    client = boto3.client("stepfunctions")
    execution = run(client, create(client, options.role), options.package)
    print(execution["executionArn"], execution["status"])
    print(json.dumps(json.loads(execution["output"]), indent=2) if "output" in execution else execution.get("cause"))
    raise SystemExit(execution["status"] != "SUCCEEDED")


if __name__ == "__main__":
    main()
