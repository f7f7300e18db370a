"""A connection on which anything is asked, and what there is to ask about."""

from collections.abc import Iterator

import pytest

from tests.local.fuzz.known import Known, Wire
from workers.local import LocalStepFunctions


@pytest.fixture(scope="module")
def wire(engine: LocalStepFunctions) -> Iterator[Wire]:
    wire = Wire(engine.url)
    yield wire
    wire.close()


@pytest.fixture
def known(wire: Wire) -> Known:
    return Known(wire)
