"""Other projects as contestants, in an environment of their own: `make bench-peers`.

python benchmarks/peers.py NAME URL POLLERS
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

ARN = "arn:aws:states:us-east-1:123456789012:activity:work"
NAME = "work"


def side_by_side(work: Callable[[], None], times: int) -> None:
    threads = [threading.Thread(target=work, daemon=True) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def heaviside(pollers: int) -> None:
    """An `Activity` takes one task at a time, so it has a thread for each poller; its session asks no STS here."""
    import boto3
    from heaviside import activities

    class Known(activities.Activity):  # type: ignore[misc]
        """Does not look its ARN up, which the stub does not know."""

        def lookup_activity_arn(self, name: str) -> str:
            del name
            return ARN

    activities.create_session = lambda **_: (boto3.session.Session(), "123456789012")
    lock = threading.Lock()

    def work() -> None:
        with lock:
            activity = Known(NAME)
            activity.process = lambda given: {"ok": given["n"]}
        while True:
            token, given = activity.poll_task(worker="peer")
            if token:
                activity.handle_task(token, given)

    side_by_side(work, pollers)


def stefuna(pollers: int) -> None:
    """One poller, and a process for each task that may run."""
    import json

    from stefuna import Server
    from stefuna import Worker as StefunaWorker

    class Work(StefunaWorker):  # type: ignore[misc]
        def run_task(self, task_token: str, input_data: Any) -> str:
            del task_token
            given = json.loads(input_data) if isinstance(input_data, str) else input_data
            return json.dumps({"ok": given["n"]})

    globals()["Work"] = Work
    Work.__qualname__, Work.__module__ = "Work", __name__
    Server.worker_class = Work
    Server(activity_arn=ARN, processes=pollers).run()


def sfini(pollers: int) -> None:
    """A worker polls in one thread, runs a task in it, and starts a thread for its heartbeats."""
    import sfini as package

    class Known(package.AWSSession):  # type: ignore[misc]
        account_id = "123456789012"

    session = Known()
    activities = package.ActivityRegistration(session=session)

    @activities.activity(name=NAME, heartbeat=1)
    def work(given: dict[str, Any]) -> dict[str, Any]:
        return {"ok": given["n"]}

    side_by_side(lambda: package.Worker(work, name="peer", session=session).run(), pollers)


PEERS = {"heaviside": heaviside, "stefuna": stefuna, "sfini": sfini}

if __name__ == "__main__":
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "x")
    os.environ |= {**keys, "AWS_ENDPOINT_URL_SFN": sys.argv[2], "AWS_DEFAULT_REGION": "us-east-1"}
    PEERS[sys.argv[1]](int(sys.argv[3]))
