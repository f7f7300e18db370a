"""Which AWS a worker talks to: session, endpoint, and the account and region in which names become ARNs."""

import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import anyio
from botocore.exceptions import BotoCoreError

from workers.arns import LOCAL_ACCOUNT, LOCAL_PORT, LOCAL_REGION, Place
from workers.backoff import Backoff
from workers.errors import UsageError
from workers.settings import Settings
from workers.stepfunctions.faults import Translation
from workers.stepfunctions.protocol import DeniedError, ServiceError, TransientError

if TYPE_CHECKING:  # the AWS SDK is loaded when it is used: it takes longer than a test on the embedded engine
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

LOCAL_PLACE = Place("aws", LOCAL_REGION, LOCAL_ACCOUNT)
"""That of the embedded Step Functions."""
FAULTS = 4
"""How often a call of a command is repeated after faults of the service or the network."""


class Connection:
    """An AWS session, and the endpoint on this machine where it is not the SDK's own choice.

    `session`: None for that of the embedded Step Functions, which is made when it is first asked for.
    """

    def __init__(self, session: "AioSession | None", endpoint_url: str | None = None) -> None:
        self._session = session
        self.endpoint_url = endpoint_url

    @property
    def session(self) -> "AioSession":
        """The session that all clients are made from."""
        if self._session is None:
            self._session = _local(_new_session())
        return self._session

    @property
    def certificates(self) -> str | None:
        """The file of the authorities that are trusted, where the SDK's configuration names one: the CA bundle.

        In botocore's order: AWS_CA_BUNDLE, `ca_bundle` in the profile, REQUESTS_CA_BUNDLE.
        """
        named = self.session.get_config_variable("ca_bundle")
        return os.environ.get("REQUESTS_CA_BUNDLE") if named is None else str(named)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """How servers are verified: as the stock client does. Raises `UsageError` for a CA bundle that is none."""
        from botocore.httpsession import create_urllib3_context, get_cert_path

        context: ssl.SSLContext = create_urllib3_context()
        context.check_hostname = True
        try:
            context.load_verify_locations(get_cert_path(self.certificates or True))
        except OSError as error:  # ssl.SSLError is one too
            raise UsageError(
                f"the CA bundle {self.certificates} cannot be used: {error}. AWS_CA_BUNDLE, ca_bundle in the profile "
                "or else REQUESTS_CA_BUNDLE must name a file of certificates in PEM form"
            ) from error
        return context

    @asynccontextmanager
    async def client(self, service: str, config: "AioConfig | None" = None) -> AsyncIterator[Any]:
        """An aiobotocore client of `service`. Raises `UsageError` where the SDK's own configuration allows none."""
        from aiobotocore.config import AioConfig

        config, url = config or AioConfig(), self.endpoint_url
        plain = url is not None and url.startswith("http:")
        if url:
            config = config.merge(AioConfig(proxies={}))  # no proxy leads back to this machine
        async with AsyncExitStack() as stack:
            with _configured():
                if self.certificates and not plain:
                    _ = self.tls  # the client itself would find a broken bundle in each call, like a fault that passes
                # It reads the certificates of all the world even where it speaks plain HTTP.
                verify = False if plain else None
                made = self.session.create_client(service, endpoint_url=url, config=config, verify=verify)
                client = await stack.enter_async_context(made)
            yield client


def _new_session() -> "AioSession":
    from aiobotocore.session import get_session

    from workers.stepfunctions.parsing import read_faster

    read_faster(session := get_session())
    return session


def _local(session: "AioSession") -> "AioSession":
    session.set_config_variable("region", LOCAL_REGION)
    session.set_credentials("local", "local")
    return session


async def connect(settings: Settings, session: "AioSession | None" = None) -> Connection:
    """The connection that `settings` ask for, on `session` where one is given.

    Raises `UsageError` when `--local` is set and no embedded Step Functions answers.
    """
    if settings.local:
        await _check_local(settings)
        return Connection(_local(session) if session else None, settings.local_url)
    session = session or _new_session()
    with _configured():
        if not session.get_config_variable("region") and (region := os.environ.get("AWS_REGION")):
            # Botocore alone of all SDKs knows only AWS_DEFAULT_REGION.
            session.set_config_variable("region", region)
    return Connection(session)


async def find_place(
    connection: Connection, settings: Settings, *, waiting: Callable[[ServiceError], None] | None = None
) -> Place:
    """The partition, region and account of `connection`.

    Asks STS for the account unless it is set; while STS cannot be reached it tries again, and tells `waiting`.
    Raises `UsageError` without a region, without credentials, or when AWS does not accept the credentials.
    """
    if settings.local:
        return LOCAL_PLACE
    session = connection.session
    partition, region = _region(session)
    with _configured():
        credentials = await session.get_credentials()
    if credentials is None:
        raise UsageError(
            "no AWS credentials were found: sign in, export AWS_PROFILE, or use --local for the embedded Step Functions"
        )
    return Place(partition, region, settings.account or await _ask(connection, waiting))


async def name_place(settings: Settings) -> Place:
    """The place that `settings` and the AWS configuration name; AWS is asked for no more than the account.

    With an account in the settings nothing is asked, and no credentials are needed. Raises as `find_place`, and
    `ServiceError` where STS cannot be reached for some seconds.
    """
    connection = await connect(settings)
    if settings.account and not settings.local:
        return Place(*_region(connection.session), settings.account)
    return await find_place(connection, settings, waiting=Patience())


class Patience:
    """For `waiting`: a worker waits for AWS as long as it takes; who gives a command waits for some seconds."""

    def __init__(self) -> None:
        self._left = FAULTS

    def __call__(self, error: ServiceError) -> None:
        """Raises what is in the way when it has been there too often."""
        self._left -= 1
        if self._left < 0:
            raise error


def _region(session: "AioSession") -> tuple[str, str]:
    """The partition and the region."""
    with _configured():
        if region := session.get_config_variable("region"):
            return str(session.get_partition_for_region(region)), str(region)
    raise UsageError(
        "no AWS region is set: export AWS_REGION, give your profile a region, or use --local "
        "for the embedded Step Functions"
    )


@contextmanager
def _configured() -> Iterator[None]:
    """What the SDK finds wrong with its own configuration is for the user to mend."""
    try:
        yield
    except (BotoCoreError, ValueError) as error:
        raise UsageError(f"the AWS configuration cannot be used: {' '.join(str(error).split())}") from error


async def _ask(connection: Connection, waiting: Callable[[ServiceError], None] | None) -> str:
    from aiobotocore.config import AioConfig

    config = AioConfig(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1, "mode": "standard"})
    backoff = Backoff(initial=0.5, maximum=5.0)
    async with connection.client("sts", config) as sts:
        while True:
            try:
                with Translation("GetCallerIdentity"):
                    return str((await sts.get_caller_identity())["Account"])
            except TransientError as error:
                if waiting:
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
        port = "" if settings.local_port == LOCAL_PORT else f" --port {settings.local_port}"
        raise UsageError(
            f"no embedded Step Functions answers at {settings.local_url}: start `workers local{port}` first"
        ) from None
