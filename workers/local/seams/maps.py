"""Maps: any number of items, a bounded number of threads."""

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

from workers.local.seams.table import replaces

CONCURRENCY = 40
"""Iterations that an inline Map runs at once, at most (Step Functions developer guide, Map state)."""


def _as_loop(eval_pool: Callable[..., None]) -> Callable[..., None]:
    """Turns a worker's tail call of itself for its next item into a loop."""

    def evaluate(worker: Any, job: Any, worker_frame: Any) -> None:
        if hasattr(worker, "next_call"):
            worker.next_call = (job, worker_frame)
            return
        call = (job, worker_frame)
        while call:
            worker.next_call = None
            eval_pool(worker, *call)
            call = worker.next_call

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

_launch_worker = inline_iteration_component.InlineIterationComponent._launch_worker  # noqa: SLF001 - replaced next


def _launch_few_workers(component: Any, env: Any, eval_input: Any, job_pool: Any) -> Any:
    job_pool.launched = getattr(job_pool, "launched", 0) + 1
    return _launch_worker(component, env, eval_input, job_pool) if job_pool.launched <= CONCURRENCY else None


replaces(
    inline_iteration_component.InlineIterationComponent,
    "_launch_worker",
    _launch_few_workers,
    "moto starts a thread for each item of a Map without MaxConcurrency",
)
