"""Which account and region a worker is in: asked once, so that names become ARNs without a call each."""

from collections.abc import Callable
from typing import Any

import anyio
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session

from workers.arns import Place
from workers.backoff import Backoff
from workers.errors import UsageError
from workers.settings import LOCAL_ACCOUNT, LOCAL_REGION, Settings
from workers.stepfunctions.faults import translated
from workers.stepfunctions.protocol import DeniedError, ServiceError, TransientError


async def open_session(settings: Settings) -> AioSession:
    """The AWS session that `settings` ask for: the SDK's own configuration, or the embedded Step Functions.

    Raises `UsageError` when `--local` is set and nothing answers there.
    """
    session = get_session()
    if settings.local:
        await _check_local(settings)
        session.set_config_variable("endpoint_url", settings.local_url)
        session.set_config_variable("region", LOCAL_REGION)
        session.set_credentials("local", "local")
    return session


async def find_place(
    session: AioSession, settings: Settings, waiting: Callable[[ServiceError], Any] = lambda error: None
) -> Place:
    """The partition, region and account of `session`.

    Asks STS for the account unless it is set; while STS cannot be reached it tries again, and tells `waiting`.
    Raises `UsageError` without a region, without credentials, or when STS denies the call.
    """
    region = session.get_config_variable("region")
    if not region:
        raise UsageError(
            "no AWS region is set: export AWS_REGION, give your profile a region, or use --local "
            "for the embedded Step Functions"
        )
    if await session.get_credentials() is None:
        raise UsageError(
            "no AWS credentials were found: sign in or export AWS_PROFILE, or use --local "
            "for the embedded Step Functions"
        )
    account = LOCAL_ACCOUNT if settings.local else settings.account or await _ask(session, waiting)
    return Place(await session.get_partition_for_region(region), region, account)


async def _ask(session: AioSession, waiting: Callable[[ServiceError], Any]) -> str:
    config = AioConfig(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1, "mode": "standard"})
    backoff = Backoff(initial=0.5, maximum=5.0)
    async with session.create_client("sts", config=config) as sts:
        while True:
            try:
                with translated("GetCallerIdentity"):
                    return str((await sts.get_caller_identity())["Account"])
            except TransientError as error:
                waiting(error)
                await anyio.sleep(backoff.next())
            except DeniedError as error:
                raise UsageError(f"AWS does not accept the credentials: {error}") from error


async def _check_local(settings: Settings) -> None:
    try:
        with anyio.fail_after(2):
            stream = await anyio.connect_tcp("127.0.0.1", settings.local_port)
            await stream.aclose()
    except (OSError, TimeoutError):
        port = (
            ""
            if settings.local_port == Settings.model_fields["local_port"].default
            else f" --port {settings.local_port}"
        )
        raise UsageError(
            f"no embedded Step Functions answers at {settings.local_url}: start `workers local{port}` first"
        ) from None
