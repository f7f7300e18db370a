"""The names of the state machines of workflow definitions, and their tags."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from workers.arns import NAME_LIMIT, NAMESPACE_SEPARATOR, namespaced, without_refused
from workers.manager.errors import InvalidError
from workers.manager.model import WorkflowDefinition

IDENTITY_TAG = "workflow-identity"
NAME_TAG = "workflow-definition-name"
_TAG_LIMIT = 256
_REFUSED_IN_TAGS = re.compile(r"[^\w\s+\-=.:/@]")
"""What tags may hold: TagResource, Step Functions API reference."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which machine: of one version of a definition, in a namespace, from a state on."""

    namespace: str
    definition: str
    version: int
    start_at: str

    @classmethod
    def of(cls, definition: WorkflowDefinition, namespace: str, start_at: str) -> Self:
        """The identity of the machine that runs `definition` from `start_at` on."""
        return cls(namespace, definition.name, definition.version, start_at)

    @property
    def machine(self) -> str:
        """`NS--DEFINITION--VERSION--START_AT`, with `-` for what AWS refuses. Raises `InvalidError` when too long."""
        parts = (self.definition, str(self.version), self.start_at)
        name = namespaced(without_refused(NAMESPACE_SEPARATOR.join(parts)), self.namespace or None)
        if len(name) > NAME_LIMIT:
            raise InvalidError(
                f"the state machine would be called {name!r}, which has {len(name)} characters, and AWS allows "
                f"{NAME_LIMIT}: take a shorter name for the definition, the namespace or the state"
            )
        return name

    @property
    def digest(self) -> str:
        """What tells machines apart whose names became the same."""
        parts = [self.namespace, self.definition, self.version, self.start_at]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def tags(self, definition: WorkflowDefinition) -> dict[str, str]:
        """The tags of the machine: the definition's go over `application` and `environment`, not over what we read."""
        own = {
            NAME_TAG: self.definition,
            "workflow-definition-version": str(self.version),
            "workflow-definition-start-at": self.start_at,
            IDENTITY_TAG: self.digest,
        }
        tags = {"application": self.definition, "environment": self.namespace} | dict(definition.default_tags) | own
        return {key: _REFUSED_IN_TAGS.sub("-", value)[:_TAG_LIMIT] for key, value in tags.items()}


def check_tags(tags: Iterable[str]) -> None:
    """Raises `InvalidError` for a key that no state machine can have: AWS would refuse it when it is first started."""
    for key in tags:
        if (found := _REFUSED_IN_TAGS.search(key)) or key.lower().startswith("aws:"):
            wrong = f"holds {found[0]!r}" if found else "begins with aws:, which is AWS's own"
            raise InvalidError(
                f"defaultTags: the key {key!r} {wrong}: AWS takes letters, digits, spaces and _ . : / = + - @"
            )


def first_state(machine: Mapping[str, Any]) -> str:
    """The name of the state that a definition begins with."""
    return str(machine.get("StartAt", machine.get("start_at", "")))
