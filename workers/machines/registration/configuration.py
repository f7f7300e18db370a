"""What a state machine is registered with, beside its name; and what differs between two of those."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workers.arns import Place, is_arn
from workers.machines.validation.checker import DEFINITION_LIMIT


@dataclass(frozen=True, kw_only=True)
class Logging:
    """What a state machine writes to CloudWatch Logs.

    `log_group`: the name or the ARN of a log group, which has to exist; `data`: whether inputs and outputs are logged.
    """

    level: Literal["ALL", "ERROR", "FATAL", "OFF"] = "ERROR"
    log_group: str | None = None
    data: bool = False

    def to_aws(self, place: Place) -> dict[str, Any]:
        """As the API takes it."""
        arn = self.log_group
        if arn and not is_arn(arn):
            arn = f"arn:{place.partition}:logs:{place.region}:{place.account}:log-group:{arn}"
        if arn and not arn.endswith(":*"):
            arn += ":*"
        destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}] if arn else []
        return {"level": self.level, "includeExecutionData": self.data, "destinations": destinations}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a state machine is registered with. None: not said, so that it stays as it is."""

    definition: dict[str, Any] = field(repr=False)
    """In ASL."""
    role: str | None = None
    express: bool | None = None
    logging: dict[str, Any] | None = None
    tracing: bool | None = None
    tags: Mapping[str, str] | None = None

    def differences(self, registered: "Configuration") -> Iterator[str]:
        """The parts that are not as `registered` has them. Tags that only it has are nobody's business here."""
        if canonical(self.definition) != canonical(registered.definition):
            yield "definition"
        if self.role not in {None, registered.role}:
            yield "role"
        if self.logging is not None and self.logging != registered.logging:
            yield "logging"
        if self.tracing not in {None, registered.tracing}:
            yield "tracing"

    def new_tags(self, registered: "Configuration") -> dict[str, str]:
        """The tags that `registered` does not have."""
        known = registered.tags or {}
        return {key: value for key, value in (self.tags or {}).items() if known.get(key) != value}

    def parameters(self, parts: set[str] | None = None) -> dict[str, Any]:
        """The parameters of CreateStateMachine and UpdateStateMachine for `parts`; for all that is said, without."""
        said = {
            "definition": ("definition", readable(self.definition)),
            "role": ("roleArn", self.role),
            "logging": ("loggingConfiguration", self.logging),
            "tracing": ("tracingConfiguration", None if self.tracing is None else {"enabled": self.tracing}),
        }
        return {name: value for part, (name, value) in said.items() if parts is None or part in parts}


def canonical(definition: Any) -> str:
    """The same text for definitions that are the same JSON."""
    return json.dumps(definition, sort_keys=True, ensure_ascii=False)


def readable(definition: Any) -> str:
    """A definition as JSON for people, where that is not too large for AWS."""
    text = json.dumps(definition, indent=2, ensure_ascii=False)
    if len(text.encode()) <= DEFINITION_LIMIT:
        return text
    return json.dumps(definition, separators=(",", ":"), ensure_ascii=False)


def from_description(found: Mapping[str, Any], tags: Mapping[str, str] | None) -> Configuration:
    """The configuration in the answer of DescribeStateMachine."""
    logging = found.get("loggingConfiguration", {})
    return Configuration(
        definition=json.loads(found["definition"]),
        role=found["roleArn"],
        express=found["type"] == "EXPRESS",
        logging={"level": "OFF", "includeExecutionData": False, "destinations": [], **logging},
        tracing=found.get("tracingConfiguration", {}).get("enabled", False),
        tags=tags,
    )
