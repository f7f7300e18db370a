"""`workers exec` on the command line: what cannot work ends it at once, in one line."""

import pytest

from tests.cli.commands import Line


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(capsys)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument"),
        (("--", "true"), "Missing option '--activity'"),
        (("--activity", "a"), "Missing argument"),
        (("--activity", "a", "--", "no-such-command"), "there is no command 'no-such-command' that this user may run"),
        (("--activity", "a:b", "--", "true"), "':', which AWS refuses"),
        (("--activity", "a", "--concurrency", "0", "--", "true"), "--concurrency"),
        (("--activity", "a", "--work-directory", "/dev/null/x", "--", "true"), "no work directory can be made"),
    ],
)
def test_what_cannot_work_is_refused(line: Line, arguments: tuple[str, ...], said: str):
    assert said in line.refused("exec", *arguments)


def test_options_after_the_command_are_its_own(line: Line, monkeypatch: pytest.MonkeyPatch):
    seen: list[object] = []

    def end(activity: str, command: object, *_: object, **options: object) -> None:
        seen.extend([activity, command, options["sfncli"]])
        raise SystemExit(0)

    monkeypatch.setattr("workers.cli.exec.command_worker", end)
    line("exec", "--sfncli", "--activity", "a", "sh", "--activity", "-c", "x")
    assert seen == ["a", ("sh", "--activity", "-c", "x"), True]
