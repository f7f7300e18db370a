"""How AWS services other than Step Functions are called: DynamoDB, SQS, Batch."""

from aiobotocore.config import AioConfig

from workers.version import __version__


def service_config(*, read_timeout: float = 10) -> AioConfig:
    """A client's configuration. `read_timeout`: seconds without a byte of an answer; longer than a long poll holds.

    Five attempts in botocore's standard mode: throttling and lost connections are waited out, not reported.
    """
    return AioConfig(
        connect_timeout=5,
        read_timeout=read_timeout,
        max_pool_connections=50,
        retries={"total_max_attempts": 5, "mode": "standard"},
        user_agent=f"sfn-workers/{__version__}",
    )
