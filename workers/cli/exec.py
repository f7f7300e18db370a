"""`workers exec`: a command line as the handler of an activity, in processes of its own, until a signal."""

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import click

from workers.cli.environment import warn_of_unknown_variables
from workers.cli.options import given, settings_options
from workers.commands.worker import CommandSettings, command_worker
from workers.logs import configure_logs


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--activity", metavar="NAME", required=True, envvar="WORKERS_EXEC_ACTIVITY",
              help="The activity whose tasks the command handles.  [WORKERS_EXEC_ACTIVITY]")  # fmt: skip
@click.option("--work-directory", metavar="DIRECTORY", type=click.Path(path_type=Path),
              envvar="WORKERS_EXEC_WORK_DIRECTORY",
              help="Where the directory of each task is made.  [WORKERS_EXEC_WORK_DIRECTORY] [default: that for "
                   "temporary files]")  # fmt: skip
@click.option("--sfncli", is_flag=True, envvar="WORKERS_EXEC_SFNCLI",
              help="Name errors, and treat inputs and results, as sfncli does.  [WORKERS_EXEC_SFNCLI]")  # fmt: skip
@settings_options(CommandSettings)
def exec(  # noqa: A001 - the command's name; the builtin is not wanted here
    command: tuple[str, ...], *, activity: str, work_directory: Path | None, sfncli: bool, **options: Any
) -> int:
    """Run COMMAND for each task of an activity, as in

    \b
      workers exec --activity resize -- ./resize.sh --fast

    \b
    The input is COMMAND's last argument, as JSON; @FILE where it is too large for
    one. It is also its stdin, and the file INPUT_FILE. WORK_DIR is a fresh
    directory. The result is the last line of stdout, as JSON. An exit code other
    than 0 fails the task: with "error" and "cause" of an object in the last line,
    or else with the end of stderr. No shell is involved.

    \b
    SIGTERM and Ctrl-C: no new polls, COMMAND and all that it has started get
    SIGTERM, and SIGKILL when --grace is over. A second signal kills at once.
    """
    settings = CommandSettings(**given(options))
    configure_logs(settings.log_level, settings.log_format)
    warn_of_unknown_variables()
    root = work_directory or Path(tempfile.gettempdir())
    worker = command_worker(activity, command, settings, work_directory=root, sfncli=sfncli)
    worker.metrics.add_process()
    return anyio.run(lambda: worker.run(signals=True), backend_options={"use_uvloop": bool(find_spec("uvloop"))})
