"""A CloudFormation template as a stack has it: its parameters, conditions and functions worked out."""

import re
from typing import Any

import yaml

from tests.deploy.files import DEPLOY

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "fleet",
    "AWS::NoValue": None,
}
FLEET = {
    "Image": "order-worker:1.0.0",
    "Subnets": "subnet-1",
    "SecurityGroups": "sg-1",
    "Activity": "add",
    "PayloadBucket": "my-payloads",
}
"""What somebody has to say of the stack of workers."""
MANAGER = {
    "Image": "workflow-manager:1.0.0",
    "Subnets": "subnet-1",
    "SecurityGroups": "sg-1",
    "TokensSecret": "secret",
    "MachineRole": "role",
    "PayloadBucket": "my-payloads",
}
"""What somebody has to say of the stack of the workflow manager."""

Watched = tuple[str, str, tuple[tuple[str, str], ...]]
"""A metric in CloudWatch: its namespace, its name, its dimensions."""


class _Loader(yaml.SafeLoader):
    """YAML in which CloudFormation's tags are the functions that they are short for."""


def _function(loader: Any, name: str, node: Any) -> Any:
    if isinstance(node, yaml.SequenceNode):
        found: Any = loader.construct_sequence(node, deep=True)
    else:
        found = loader.construct_scalar(node)
    return {f"!{name}": found}


_Loader.add_multi_constructor("!", _function)


class Stack:
    """What becomes of a template with the given parameters; its own resources stay the names that they have there."""

    def __init__(self, path: str, **parameters: str) -> None:
        template = yaml.load((DEPLOY / path).read_text(), _Loader)
        defaults = {name: one["Default"] for name, one in template["Parameters"].items() if "Default" in one}
        needed = template["Parameters"].keys() - defaults.keys()
        assert needed <= parameters.keys() <= template["Parameters"].keys(), (needed, parameters.keys())
        self._values: dict[str, Any] = {**PSEUDO, **defaults, **parameters}
        for name, one in template["Parameters"].items():
            if one["Type"] == "CommaDelimitedList" or one["Type"].startswith("List<"):
                self._values[name] = self._values[name].split(",")
        self._conditions: dict[str, bool] = {}
        for name, condition in template.get("Conditions", {}).items():
            self._conditions[name] = self.worked_out(condition)
        self.resources = {name: self.worked_out(one) for name, one in template["Resources"].items()}

    def worked_out(self, value: Any) -> Any:
        """`value` without functions, and without what has no value."""
        if isinstance(value, list):
            return [found for one in value if (found := self.worked_out(one)) is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and (name := next(iter(value))).startswith("!"):
            return getattr(self, f"_{name[1:].lower()}")(value[name])
        found = {key: self.worked_out(one) for key, one in value.items()}
        return {key: one for key, one in found.items() if one is not None}

    def _ref(self, name: str) -> Any:
        return self._values.get(name, name)

    def _getatt(self, name: str) -> str:
        return name

    def _if(self, arguments: list[Any]) -> Any:
        condition, yes, no = arguments
        return self.worked_out(yes if self._conditions[condition] else no)

    def _not(self, arguments: list[Any]) -> bool:
        return not self.worked_out(arguments[0])

    def _equals(self, arguments: list[Any]) -> bool:
        one, other = self.worked_out(arguments)
        return bool(one == other)

    def _join(self, arguments: list[Any]) -> str:
        between, parts = arguments
        return str(between.join(self.worked_out(parts)))

    def _sub(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})
        values = {**self._values, **self.worked_out(variables)}
        return re.sub(r"\$\{([\w:.]+)\}", lambda found: str(values.get(found[1], found[1])), text)


def watched(value: Any) -> set[Watched]:
    """Every metric that something in a stack asks for."""
    if isinstance(value, list):
        return set().union(*map(watched, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(watched, value.values()))
    if "MetricName" in value:
        dimensions = sorted((one["Name"], one["Value"]) for one in value["Dimensions"])
        found.add((value["Namespace"], value["MetricName"], tuple(dimensions)))
    return found
