"""Functions, mocks and bad days on the command line: what is refused before the engine serves."""

from pathlib import Path

import pytest

from tests.cli.commands import Line


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--lambda", "double"], "write NAME=MODULE:FUNCTION"),
        (["--lambda", "double=nowhere"], "names no function"),
        (["--lambda", "double=no_such_module:double"], "there is no module 'no_such_module'"),
        (["--lambda", "double=tests.local.integrations.conftest:nope"], "has no attribute 'nope'"),
        (["--lambda", "double=tests.local.integrations.conftest:FUNCTION"], "not a function"),
        (["--mocks", "/no/such/file"], "does not exist"),
        (["--seed", "7"], "it goes with --harsh"),
    ],
)
def test_bad_input_is_refused(capsys: pytest.CaptureFixture[str], options: list[str], why: str):
    said = Line(capsys)("local", "--port", "0", *options)
    assert said.code == 2
    assert why in said.err
    assert "Traceback" not in said.err


def test_a_wrong_mock_configuration_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    file = tmp_path / "mocks.json"
    file.write_text('{"MockedResponses": {"One": {"x": {"Return": 1}}}}')
    said = Line(capsys)("local", "--port", "0", "--mocks", str(file))
    assert said.code == 2
    assert f"the mock configuration {file} is wrong" in said.err
