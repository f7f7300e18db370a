"""What `workers exec` costs over a bare fork and exec of the same command: CPU milliseconds a task.

    python benchmarks/commands.py [TASKS]

The command is `true`. The worker talks to a stub of Step Functions in a process of its own; what the worker, its
children and the command use is read from the kernel. The bare loop is `posix_spawn` and `waitpid`.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from harness import stub

TRUE = str(shutil.which("true"))
MOST = 10.0
"""Milliseconds: what the project allows."""


def bare(tasks: int) -> float:
    """CPU seconds of the loop and its children."""
    before = _used()
    for _ in range(tasks):
        os.waitpid(os.posix_spawn(TRUE, [TRUE, "{}"], os.environ), 0)
    return _used() - before


def _used() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def worker(tasks: int, *options: str) -> float:
    """CPU seconds of a `workers exec` and its children, for so many tasks, without its start."""
    with stub() as steps:
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{steps.port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "WORKERS_ACCOUNT": "123456789012",
            "WORKERS_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-m", "workers", "exec", "--activity", "true", *options, "--", TRUE]
        with subprocess.Popen(command, env=environment) as process:
            try:
                steps.wait_for_polls(1)
                steps.run(20)
                before = _of(process.pid)
                steps.run(tasks)
                return _of(process.pid) - before
            finally:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGINT)
                process.kill()


def _of(pid: int) -> float:
    """CPU seconds of a process and of those of its children that it has waited for."""
    with Path(f"/proc/{pid}/stat").open() as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    once = bare(tasks) / tasks * 1000
    print(f"bare fork and exec          {once:6.2f} ms CPU a task")
    for concurrency in (1, 8):
        spent = worker(tasks, "--concurrency", str(concurrency)) / tasks * 1000
        verdict = "" if spent - once <= MOST else f", over the {MOST:g} ms that are allowed"
        print(f"workers exec, {concurrency} at once    {spent:6.2f} ms, {spent - once:.2f} over it{verdict}")


if __name__ == "__main__":
    main()
