"""Map and Parallel: any number of items, a bounded number of threads, and an end for all when one fails."""

import threading
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
    inline_iteration_component,
    iteration_worker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (
    distributed_item_processor_worker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iterator import (
    distributed_iterator_worker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker

from workers.local.seams.table import replaces, uses

CONCURRENCY = 40
"""Iterations that an inline Map runs at once, at most (Step Functions developer guide, Map state)."""

PATIENCE = 5.0
"""Seconds that a Map or Parallel which has failed waits for its other iterations or branches to end."""


def _as_loop(eval_pool: Callable[..., None]) -> Callable[..., None]:
    """Turns a worker's tail call of itself for its next item into a loop, and says when the worker is done."""

    def evaluate(worker: Any, job: Any, worker_frame: Any) -> None:
        if hasattr(worker, "next_call"):
            worker.next_call = (job, worker_frame)
            return
        call = (job, worker_frame)
        try:
            while call:
                worker.next_call = None
                eval_pool(worker, *call)
                call = worker.next_call
        finally:
            worker._job_pool.workers.leave()  # noqa: SLF001 - noted below

    return evaluate


for _class in (
    iteration_worker.IterationWorker,
    distributed_item_processor_worker.DistributedItemProcessorWorker,
    distributed_iterator_worker.DistributedIteratorWorker,
):
    replaces(
        _class,
        "_eval_pool",
        _as_loop(vars(_class)["_eval_pool"]),
        "moto recurses for every item: a long Map ends in a RecursionError",
    )
uses(iteration_worker.IterationWorker, "_job_pool", "the items of a Map, shared by its workers")


class _Workers:
    """Counts the workers of one Map."""

    def __init__(self) -> None:
        self._here = 0
        self._changed = threading.Condition()

    def enter(self) -> bool:
        """False when there are as many as there may be."""
        with self._changed:
            self._here += 1
            return self._here <= CONCURRENCY

    def leave(self) -> None:
        with self._changed:
            self._here -= 1
            self._changed.notify_all()

    def wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._here <= 0, timeout=PATIENCE)


_Component = inline_iteration_component.InlineIterationComponent
_launch_worker = uses(_Component, "_launch_worker", "starts a thread that works on the items of a Map")


def _launch_few_workers(component: Any, env: Any, eval_input: Any, job_pool: Any) -> Any:
    if not hasattr(job_pool, "workers"):
        job_pool.workers = eval_input.workers = _Workers()
    return (
        _launch_worker(component, env, eval_input, job_pool) if job_pool.workers.enter() else job_pool.workers.leave()
    )


replaces(
    _Component, "_launch_worker", _launch_few_workers, "moto starts a thread for each item of a Map without a limit"
)
_eval_iterations = uses(_Component, "_eval_body", "runs the iterations of an inline Map")


def _abort_others(component: Any, env: Any) -> None:
    eval_input = env.stack[-1]
    try:
        _eval_iterations(component, env)
    except Exception:
        env.stop_frames()
        eval_input.workers.wait()
        raise


replaces(_Component, "_eval_body", _abort_others, "moto lets the other iterations of a Map that has failed run on")


class _Branch(BranchWorker):
    """A branch of a Parallel."""

    def stop(self, stop_date: Any, cause: str | None, error: str | None) -> None:
        """Called for every branch when one has failed."""
        super().stop(stop_date, cause, error)
        if self._worker_thread:
            self._worker_thread.join(PATIENCE)


uses(BranchWorker, "_worker_thread", "the thread of a branch")
replaces(
    branches_decl, "BranchWorker", _Branch, "moto does not wait for branches it stops: they go on telling of themselves"
)
