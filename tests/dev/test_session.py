"""A session at the terminal."""

import json
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.dev.conftest import MACHINE, handlers
from tests.dev.terminal import dev, save
from workers.local import LocalStepFunctions

START = ("the first run", "SUCCEEDED", "3\r\n")


def test_start_save_quit(folder: Path, engine: LocalStepFunctions) -> None:
    with dev(folder, "--machine", "adder.yaml", port=engine.port) as terminal:
        terminal.shows("r run again", *START)
        save(folder / "handlers.py", handlers("return x + y + 40"))
        terminal.shows("handlers.py saved", "Add  task", "SUCCEEDED", "43", r"-3", r"\+43")
        assert terminal.quit() == 0


@pytest.mark.slow
def test_the_page_of_each_run_is_served_as_long_as_the_loop_runs(folder: Path, engine: LocalStepFunctions) -> None:
    with dev(folder, "--machine", "adder.yaml", "--ui", port=engine.port) as terminal:
        terminal.shows("Web page at http", r"(http://127\.0\.0\.1:\d+/ui/executions/arn:\S+)")
        address = terminal.spawned.match[1]
        with urlopen(address) as page:
            assert "State machine of " in page.read().decode()
        assert terminal.quit() == 0
    with pytest.raises(URLError):
        urlopen(address)


@pytest.mark.slow
def test_start_save_error_fix_replay_quit(folder: Path, engine: LocalStepFunctions) -> None:
    code = folder / "handlers.py"
    with dev(folder, "--machine", "adder.yaml", port=engine.port) as terminal:
        terminal.shows("r run again", *START)
        save(code, handlers("return x + y + 40"))
        terminal.shows("handlers.py saved", "Add  task", "SUCCEEDED", "43", r"-3", r"\+43")
        save(code, handlers("retrn x"))
        terminal.shows("handlers.py saved", "the module 'handlers' fails", "retrn x", "SyntaxError")
        save(code, handlers("raise ValueError('no luck')"))
        terminal.shows("handlers.py saved", "Add  task .* ValueError", "FAILED in state Add")
        terminal.shows(r"handlers.py\", line 8, in add", r"raise ValueError\('no luck'\)", "what has changed")
        save(code, handlers("return [x, y]"))
        terminal.shows("handlers.py saved", "SUCCEEDED")
        terminal.press("p")
        terminal.shows("state Add of adder, once more on the input it failed on", r"\[\r\n  1,\r\n  2\r\n\]")
        terminal.press("r")
        terminal.shows("once more", "SUCCEEDED", "the same result as before")
        assert terminal.quit() == 0


@pytest.mark.slow
def test_the_machine_the_input_and_modules_that_handlers_import_start_a_run(
    folder: Path, engine: LocalStepFunctions
) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("")
    (folder / "package" / "prices.py").write_text("PRICE = 5")
    (folder / "handlers.py").write_text(handlers("return x * PRICE", head="from package.prices import PRICE"))
    (folder / "input.json").write_text('{"x": 2}')
    (folder / "data").mkdir()
    arguments = ("--machine", "adder.yaml", "--input", "input.json", "--watch", "data")
    with dev(folder, *arguments, port=engine.port) as terminal:
        terminal.shows("SUCCEEDED", "10\r\n")
        save(folder / "package" / "prices.py", "PRICE = 7")
        terminal.shows("package/prices.py saved", "SUCCEEDED", "14")
        save(folder / "input.json", '{"x": 3}')
        terminal.shows("input.json saved", "SUCCEEDED", "21")
        save(folder / "adder.yaml", MACHINE.replace("end: true", "result_path: $.sum, end: true"))
        terminal.shows("adder.yaml saved", "SUCCEEDED", '"sum": 21')
        (folder / "data" / "rates.csv").write_text("1,2")
        terminal.shows("data/rates.csv saved", "SUCCEEDED")
        (folder / "unrelated.py").write_text("")
        save(folder / "input.json", "{")
        terminal.shows("input.json saved", "the input input.json is no JSON")
        save(folder / "input.json", "{}")
        terminal.shows("input.json saved", "SUCCEEDED")
        save(folder / "adder.yaml", "start_at: Nowhere\nstates: {}\n")
        terminal.shows("adder.yaml saved", "at least one state")
        assert terminal.quit() == 0


@pytest.mark.slow
def test_a_missing_module_is_waited_for(folder: Path, engine: LocalStepFunctions) -> None:
    (folder / "handlers.py").write_text(handlers("return LATER", head="from later import LATER"))
    with dev(folder, "--machine", "adder.yaml", port=engine.port) as terminal:
        terminal.shows("No module named 'later'")
        (folder / "later.py").write_text("LATER = 'now'")
        terminal.shows("later.py saved", "SUCCEEDED", '"now"')
        assert terminal.quit() == 0


@pytest.mark.slow
def test_the_input_is_edited_and_kept(folder: Path, engine: LocalStepFunctions) -> None:
    editor = folder / "editor.sh"
    editor.write_text("""#!/bin/sh\necho '{"x": 20, "y": 22}' > "$1"\n""")
    editor.chmod(0o755)
    with dev(folder, "--machine", "adder.yaml", port=engine.port, EDITOR=str(editor), VISUAL="") as terminal:
        terminal.shows(*START)
        terminal.press("i")
        terminal.shows("with the new input", "SUCCEEDED", "42")
        terminal.press("r")
        terminal.shows("once more", "SUCCEEDED", "42")
        assert terminal.quit() == 0


@pytest.mark.slow
def test_several_machines_run_each_on_its_input(folder: Path, engine: LocalStepFunctions) -> None:
    (folder / "other.json").write_text(json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}))
    editor = folder / "editor.sh"
    editor.write_text("""#!/bin/sh\necho '{"x": 20}' > "$1"\necho '"edited"' > "$2"\n""")
    editor.chmod(0o755)
    arguments = ("--machine", "adder.yaml", "--input", '{"x": 5}', "--machine", "other.json", "--input", '"as it is"')
    with dev(folder, *arguments, port=engine.port, EDITOR=str(editor), VISUAL="") as terminal:
        terminal.shows("adder", "SUCCEEDED", "7", "other", "SUCCEEDED", '"as it is"')
        terminal.press("i")
        terminal.shows("with the new input", "adder", "SUCCEEDED", "22", "other", "SUCCEEDED", '"edited"')
        assert terminal.quit() == 0


@pytest.mark.slow
def test_inputs_that_are_no_json_stay_as_they_were(folder: Path, engine: LocalStepFunctions) -> None:
    editor = folder / "editor.sh"
    editor.write_text("""#!/bin/sh\necho '{"x": 20, ' > "$1"\n""")
    editor.chmod(0o755)
    with dev(folder, "--machine", "adder.yaml", port=engine.port, EDITOR=str(editor), VISUAL="") as terminal:
        terminal.shows(*START)
        terminal.press("i")
        terminal.shows("the input of adder stays as it was: that is no JSON")
        terminal.press("r")
        terminal.shows("once more", "SUCCEEDED", "the same result as before")
        assert terminal.quit() == 0


@pytest.mark.slow
def test_code_that_ends_the_process_does_not_end_the_loop(folder: Path, engine: LocalStepFunctions) -> None:
    (folder / "handlers.py").write_text(handlers("import os; os._exit(7)"))
    with dev(folder, "--machine", "adder.yaml", port=engine.port) as terminal:
        terminal.shows("the process with your code has ended by itself, with exit code 7")
        save(folder / "handlers.py", handlers("return 'better'"))
        terminal.shows("SUCCEEDED", '"better"')
        assert terminal.quit() == 0


@pytest.mark.slow
def test_ctrl_c_quits_and_restores_the_terminal(folder: Path, engine: LocalStepFunctions) -> None:
    with dev(folder, "--machine", "adder.yaml", port=engine.port) as terminal:
        terminal.shows(*START)
        terminal.spawned.sendintr()
        while terminal.spawned.isalive():
            pass
        assert terminal.spawned.exitstatus == 0
