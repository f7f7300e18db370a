"""`workers serve`: the workflow manager as a process."""

import os
import signal
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import anyio
import click

from workers.cli.aws import read_text
from workers.cli.options import given, settings_options
from workers.collector import settle
from workers.errors import ExitCode, MissingExtraError, UsageError
from workers.logs import configure_logs
from workers.settings import Settings

if TYPE_CHECKING:
    from workers.manager.opening import Service

_OPTIONS = {"account": "The AWS account.  [default: asked of STS]", "local": None, "local_port": None}
_SAID = {"metrics": None, "log_level": None, "log_format": None}
_DATABASE = "sqlite:///workflows.sqlite"


def _variable(name: str) -> dict[str, Any]:
    return {"envvar": f"WORKERS_SERVE_{name}", "show_envvar": True}


def _pairs(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """What is given as NAME=VALUE."""
    del context
    pairs = dict(one.partition("=")[::2] for one in given)
    if not all(pairs.values()):
        raise click.BadParameter("give NAME=QUEUE, as in default=arn:aws:batch:…", param=option)
    return pairs


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, **_variable("PORT"),
              help="Port to answer at; 0 takes a free one.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, **_variable("HOST"),
              help="Address to answer at; another than this machine's own needs tokens, or --no-auth.")  # fmt: skip
@click.option("--database", metavar="URL", default=_DATABASE, show_default=True, **_variable("DATABASE"),
              help="Where workflows are kept; sqlite:// forgets them.")  # fmt: skip
@click.option("--role", metavar="ARN", **_variable("ROLE"), help="The role of the state machines that are made.")
@click.option("--create-role", is_flag=True, **_variable("CREATE_ROLE"),
              help="Make each state machine a role of its own.")  # fmt: skip
@click.option("--payloads", metavar="URL", **_variable("PAYLOADS"),
              help="Store for inputs over 256 KiB, as in s3://bucket/prefix.")  # fmt: skip
@click.option("--keep-days", type=click.FloatRange(min=0, min_open=True), **_variable("KEEP_DAYS"),
              help="Forget workflows that ended so long ago.  [default: never]")  # fmt: skip
@click.option("--max-body", type=click.IntRange(min=1_024), default=32 * 2**20, show_default=True,
              **_variable("MAX_BODY"), help="Bytes of a request's body, at most.")  # fmt: skip
@click.option("--token-file", metavar="FILE", **_variable("TOKEN_FILE"), help="Bearer tokens, one a line.")
@click.option("--read-only-token-file", metavar="FILE", **_variable("READ_ONLY_TOKEN_FILE"),
              help="Bearer tokens that may only read, one a line.")  # fmt: skip
@click.option("--batch-queue", "batch_queues", metavar="NAME=QUEUE", multiple=True, callback=_pairs,
              **_variable("BATCH_QUEUE"),
              help="A queue of AWS Batch, by the name that workflows have for it; may be repeated.")  # fmt: skip
@click.option("--batch-results", metavar="TABLE", **_variable("BATCH_RESULTS"),
              help="The DynamoDB table into which jobs of AWS Batch write their outputs.")  # fmt: skip
@click.option("--callbacks", metavar="APPLICATION", **_variable("CALLBACKS"),
              help="Consume the callbacks of this application (NAMESPACE--APPLICATION in a namespace), and let "
              "POST /callbacks/KEY finish them.")  # fmt: skip
@click.option("--callback-store", metavar="URL", **_variable("CALLBACK_STORE"),
              help="Where their tokens are kept: dynamodb, dynamodb://TABLE or sqlite:///FILE.  [default: dynamodb, "
              "with --local a SQLite file]")  # fmt: skip
@click.option("--callback-token-file", metavar="FILE", **_variable("CALLBACK_TOKEN_FILE"),
              help="Bearer tokens that may only finish callbacks, one a line.")  # fmt: skip
@click.option("--events", metavar="QUEUE", **_variable("EVENTS"),
              help="Hear of executions by the status changes that EventBridge sends to this SQS queue.")  # fmt: skip
@click.option("--create-events", is_flag=True, **_variable("CREATE_EVENTS"),
              help="Make the queue, its dead letter queue and the rule that sends to it.")  # fmt: skip
@click.option("--events-key", metavar="KEY", **_variable("EVENTS_KEY"),
              help="Encrypt the queue with this KMS key.  [default: SSE-SQS]")  # fmt: skip
@click.option("--check-sync", is_flag=True,
              help="Prove that events arrive, by a tiny execution, or say what is wrong, and exit.")  # fmt: skip
@click.option("--worker-health", metavar="URL", multiple=True, **_variable("WORKER_HEALTH"),
              help="A worker's health port, which the web page asks; may be repeated.")  # fmt: skip
@click.option("--no-auth", is_flag=True, **_variable("NO_AUTH"),
              help="Let anybody who reaches the port start and stop workflows.")  # fmt: skip
@settings_options(Settings, _OPTIONS | _SAID)
def serve(**options: Any) -> int:
    """Run the workflow manager: a REST API and a web page for definitions, workflows and queues.

    \b
    With --local it works on the embedded Step Functions, and starts one where none
    answers. Without, AWS is chosen as for every AWS tool.

    \b
    Tokens come from files, or from WORKERS_SERVE_TOKENS,
    WORKERS_SERVE_READ_ONLY_TOKENS and WORKERS_SERVE_CALLBACK_TOKENS, with commas
    between them. Stop it with Ctrl-C: requests that run are answered. What it knows is
    in the database.
    """
    settings = Settings(**given({name: options.pop(name) for name in (*_OPTIONS, *_SAID)}))
    configure_logs(settings.log_level, settings.log_format)
    if options["check_sync"]:
        return anyio.run(_check, settings, _service(options))
    fast = {"use_uvloop": bool(find_spec("uvloop"))}
    return anyio.run(_serve, settings, _service(options), options["worker_health"], backend_options=fast)


def _service(options: dict[str, Any]) -> "Service":
    """What the options ask for."""
    from workers.manager.batch.batch import Batch
    from workers.manager.events.queue import EventQueue
    from workers.manager.opening import Service

    queue = options["events"]
    if not queue and (options["create_events"] or options["events_key"] or options["check_sync"]):
        raise UsageError("--create-events, --events-key and --check-sync go with --events QUEUE: say which queue")
    return Service(
        host=options["host"],
        port=options["port"],
        database=options["database"],
        role=options["role"],
        create_role=options["create_role"],
        payloads=options["payloads"],
        keep=timedelta(days=options["keep_days"]) if options["keep_days"] else None,
        max_body=options["max_body"],
        tokens=_tokens("WORKERS_SERVE_TOKENS", options["token_file"]),
        read_only_tokens=_tokens("WORKERS_SERVE_READ_ONLY_TOKENS", options["read_only_token_file"]),
        callback_tokens=_tokens("WORKERS_SERVE_CALLBACK_TOKENS", options["callback_token_file"]),
        no_auth=options["no_auth"],
        batch=Batch(options["batch_queues"], options["batch_results"]),
        callbacks=options["callbacks"],
        callback_store=options["callback_store"],
        events=EventQueue(queue, create=options["create_events"], key=options["events_key"]) if queue else None,
    )


async def _check(settings: Settings, service: "Service") -> int:
    """Says whether an event arrives, and if not, why."""
    from workers.dev.engine import engine
    from workers.manager.events.checking import check_events

    async with engine(settings):
        result = await check_events(service, settings)
    for problem in result.problems:
        click.echo(f"workers serve: {problem}")
    if result.seconds is None:
        click.echo(f"workers serve: no event came within {result.waited:.0f} seconds")
        return ExitCode.FAULT
    click.echo(f"workers serve: an event came after {result.seconds:.1f} seconds")
    return ExitCode.OK


async def _serve(settings: Settings, service: "Service", health: tuple[str, ...]) -> int:
    """Serves until a signal."""
    from workers.dev.engine import engine
    from workers.manager.opening import open_service

    try:
        from workers.web.beside import pages_beside
        from workers.web.pages import PREFIX
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("workers"):
            raise
        raise MissingExtraError("the workflow manager", "manager") from error

    around = partial(pages_beside, health=health)

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with engine(settings) as started, open_service(service, settings, around=around) as url:
            if started:
                click.echo(f"workers serve: embedded Step Functions at {settings.local_url}")
            if service.no_auth:
                click.echo("workers serve: --no-auth: whoever reaches this port may start and stop workflows")
            click.echo(f"workers serve: web page at {url}{PREFIX}")
            click.echo(f"workers serve: ready at {url}")
            settle()
            await anext(signals)
    return ExitCode.OK


def _tokens(variable: str, file: str | None) -> tuple[str, ...]:
    """The tokens in a variable and in a file."""

    texts = [*os.environ.get(variable, "").split(","), *(read_text(file).splitlines() if file else ())]
    return tuple(text.strip() for text in texts if text.strip())
