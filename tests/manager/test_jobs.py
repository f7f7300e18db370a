"""Jobs derived from histories."""

import json
import time
from typing import Any

import pytest

from tests.machines.conformance import recorded_cases
from tests.manager.histories import STARTED, at, entered, event, exited, in_line
from workers.manager.jobs import read_events
from workers.manager.model import Job, JobStatus, ResourceType

SIX_LINES = "\n".join(f"line {number}" for number in range(1, 7))


def only(items: list[dict[str, Any]], **options: Any) -> Job:
    (job,) = read_events(items, **options).jobs
    return job


def test_36_a_state_that_is_entered_is_a_job():
    job = only(in_line(entered()), resources={"work": "echo"}, namespace="prod")
    assert (job.id, job.state, job.status) == ("2", "work", JobStatus.CREATED)
    assert (job.input, job.created_at) == ('{"n": 1}', at(2))
    assert job.state_resource
    assert job.state_resource.to_json() == {"name": "echo", "namespace": "prod", "type": "ActivityARN"}


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("echo", ResourceType.ACTIVITY),
        ("lambda:f", ResourceType.LAMBDA_FUNCTION),
        ("glue:j", ResourceType.TASK),
        ("arn:aws:states:us-east-1:123456789012:activity:x", ResourceType.ACTIVITY),
        ("arn:aws:states:::lambda:invoke", ResourceType.LAMBDA_FUNCTION),
        ("arn:aws:states:::batch:submitJob.sync", ResourceType.JOB_DEFINITION),
        ("arn:aws:states:::sns:publish", ResourceType.TASK),
    ],
)
def test_36_what_a_job_runs_on(resource: str, kind: ResourceType):
    found = only(in_line(entered()), resources={"work": resource}).state_resource
    assert found
    assert (found.name, found.type) == (resource, kind)


def test_36_a_job_is_queued_and_runs():
    assert only(in_line(entered(), "ActivityScheduled")).status is JobStatus.QUEUED
    job = only(in_line(entered(), "ActivityScheduled", STARTED))
    assert (job.status, job.started_at, job.container) == (JobStatus.RUNNING, at(4), "worker-7")


def failing(**details: Any) -> list[Any]:
    return [entered(), "ActivityScheduled", STARTED, ("ActivityFailed", details)]


def test_37_the_reason_is_the_end_of_the_cause():
    ending = ("ExecutionFailed", {"error": "Oops", "cause": SIX_LINES})
    story = read_events(in_line(*failing(error="Oops", cause=SIX_LINES), ending))
    assert story.jobs[0].status is JobStatus.FAILED
    assert story.jobs[0].status_reason == "line 4\nline 5\nline 6\nOops"
    assert story.jobs[0].stopped_at == at(5)
    assert story.last_job == story.jobs[0]
    assert story.status_reason == f"{SIX_LINES}\nOops"


@pytest.mark.parametrize("begun", [[], ["ActivityScheduled"]])
def test_38_a_resource_that_does_not_exist(begun: list[str]):
    ending = ("ExecutionFailed", {"error": "States.Runtime", "cause": "Internal Error (49b863bd)"})
    story = read_events(in_line(entered(), *begun, ending))
    assert story.last_job
    assert (story.last_job.status, story.last_job.status_reason) == (
        JobStatus.FAILED,
        "State resource does not exist",
    )


def test_39_a_job_that_succeeded():
    story = read_events(
        in_line(entered(), "ActivityScheduled", STARTED, "ActivitySucceeded", exited(), "ExecutionSucceeded")
    )
    (job,) = story.jobs
    assert (job.status, job.output, job.stopped_at) == (JobStatus.SUCCEEDED, '{"m": 2}', at(6))
    assert story.last_job is None
    assert story.status_reason is None


def test_40_a_job_that_was_stopped():
    story = read_events(in_line(entered(), "ActivityScheduled", STARTED, ("ExecutionAborted", {"cause": "enough"})))
    (job,) = story.jobs
    assert (job.status, job.status_reason, job.stopped_at) == (JobStatus.ABORTED_BY_USER, "enough", at(5))
    assert story.last_job is None


def test_40_what_had_succeeded_before_stays_so():
    ending = ("ExecutionAborted", {"cause": "enough"})
    job = only(in_line(entered(), "ActivityScheduled", STARTED, "ActivitySucceeded", exited(), ending))
    assert (job.status, job.status_reason) == (JobStatus.SUCCEEDED, None)


def test_40_all_branches_are_closed_when_an_execution_is_stopped():
    items = [
        event(1, 0, "ExecutionStarted"),
        event(2, 1, "ParallelStateEntered", name="both"),
        event(3, 2, "ParallelStateStarted"),
        event(4, 3, "TaskStateEntered", name="left"),
        event(5, 3, "TaskStateEntered", name="right"),
        event(6, 4, "ActivityScheduled"),
        event(7, 5, "TaskScheduled"),
        event(8, 7, "TaskStarted"),
        event(9, 0, "ExecutionAborted", cause="enough"),
    ]
    assert {job.state: str(job.status) for job in read_events(items).jobs} == dict.fromkeys(
        ["both", "left", "right"], "aborted_by_user"
    )


def test_42_a_job_that_timed_out_keeps_its_reason():
    timed_out = ("ActivityTimedOut", {"error": "States.Timeout"})
    ending = ("ExecutionFailed", {"error": "States.Timeout"})
    job = only(in_line(entered(), "ActivityScheduled", STARTED, timed_out, ending))
    assert (job.status, job.status_reason) == (JobStatus.FAILED, "Job timed out\nStates.Timeout")


def test_43_a_workflow_that_timed_out():
    story = read_events(in_line(entered(), "ActivityScheduled", STARTED, "ExecutionTimedOut"))
    assert story.status_reason == "Workflow timed out"
    assert story.last_job
    assert (story.last_job.status, story.last_job.status_reason) == (JobStatus.FAILED, "Workflow timed out")


def test_retries_are_attempts_of_the_same_job():
    again = ["ActivityScheduled", STARTED, "ActivitySucceeded", exited()]
    job = only(in_line(*failing(error="Once", cause="bad luck"), *again))
    assert (job.id, job.status, job.status_reason) == ("2", JobStatus.SUCCEEDED, None)
    (attempt,) = job.attempts
    assert attempt.to_json() == {
        "createdAt": "2026-01-01T00:00:02.000Z",
        "startedAt": "2026-01-01T00:00:04.000Z",
        "stoppedAt": "2026-01-01T00:00:05.000Z",
        "taskARN": "worker-7",
        "reason": "bad luck\nOnce",
    }
    assert (job.created_at, job.started_at) == (at(6), at(7))


def test_a_failure_that_is_caught_stays_a_failed_job_with_an_output():
    story = read_events(in_line(*failing(error="Oops"), exited(), entered("end", "Succeed"), exited("end", "Succeed")))
    assert [(job.state, str(job.status)) for job in story.jobs] == [("work", "failed"), ("end", "succeeded")]
    assert story.jobs[0].output == '{"m": 2}'
    assert story.jobs[1].started_at == story.jobs[1].created_at


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("LambdaFunctionFailed", {"error": "E", "cause": "c"}),
        ("LambdaFunctionScheduleFailed", {"error": "E", "cause": "c"}),
        ("LambdaFunctionStartFailed", {"error": "E", "cause": "c"}),
        ("ActivityScheduleFailed", {"error": "E", "cause": "c"}),
        ("TaskFailed", {"error": "E", "cause": "c"}),
        ("TaskStartFailed", {"error": "E", "cause": "c"}),
        ("TaskSubmitFailed", {"error": "E", "cause": "c"}),
        ("EvaluationFailed", {"error": "E", "cause": "c", "state": "work"}),
    ],
)
def test_every_way_to_fail_ends_a_job(kind: str, details: dict[str, Any]):
    story = read_events(in_line(entered(), (kind, details), ("ExecutionFailed", {"error": "E"})))
    assert story.last_job
    assert (story.last_job.status, story.last_job.status_reason) == (JobStatus.FAILED, "c\nE")


def test_a_task_of_another_service_runs_while_it_is_submitted():
    assert only(in_line(entered(), "TaskScheduled", "TaskStarted", "TaskSubmitted")).status is JobStatus.RUNNING


def test_a_map_and_its_items_are_jobs_and_the_innermost_failure_is_the_last_job():
    items = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "MapStateEntered", name="each", input="[1, 2]"),
        event(3, 2, "MapStateStarted", length=2),
        event(4, 3, "MapIterationStarted", name="each", index=0),
        event(5, 4, "TaskStateEntered", name="item", input="1"),
        event(6, 4, "MapIterationStarted", name="each", index=1),
        event(7, 6, "TaskStateEntered", name="item", input="2"),
        event(8, 5, "ActivityScheduled"),
        event(9, 7, "ActivityScheduled"),
        event(10, 9, "ActivityStarted", workerName="w"),
        event(11, 10, "ActivityFailed", error="Bad", cause="two"),
        event(12, 11, "MapIterationFailed", name="each", index=1),
        event(13, 12, "MapStateFailed", error="Bad", cause="two"),
        event(14, 13, "ExecutionFailed", error="Bad", cause="two"),
    ]
    story = read_events(items)
    assert [(job.state, job.input, str(job.status)) for job in story.jobs] == [
        ("each", "[1, 2]", "failed"),
        ("item", "1", "aborted_deps_failed"),
        ("item", "2", "failed"),
    ]
    assert story.last_job == story.jobs[2]
    assert story.jobs[0].status_reason == "two\nBad"


def test_a_fail_state_gives_the_last_job_its_reason():
    ending = ("ExecutionFailed", {"error": "Refused", "cause": "no money"})
    items = in_line(entered("pay", "Choice"), exited("pay", "Choice"), entered("no", "Fail"), ending)
    story = read_events(items)
    assert story.last_job
    assert (story.last_job.state, story.last_job.status_reason) == ("pay", "no money\nRefused")
    assert story.last_job.status is JobStatus.SUCCEEDED


def test_a_redrive_goes_on_in_the_job_that_failed():
    again = ["ExecutionRedriven", "ActivityScheduled", STARTED, "ActivitySucceeded", exited(), "ExecutionSucceeded"]
    story = read_events(in_line(*failing(error="Once"), ("ExecutionFailed", {"error": "Once"}), *again))
    (job,) = story.jobs
    assert (job.status, len(job.attempts), job.attempts[0].reason) == (JobStatus.SUCCEEDED, 1, "Once")
    assert story.last_job is None


@pytest.mark.parametrize("order", ["forwards", "backwards and forwards again"])
def test_44_reversing_a_reversed_history_gives_the_same_jobs(order: str):
    items = in_line(*failing(error="Oops"), ("ExecutionFailed", {"error": "Oops"}))
    given = items if order == "forwards" else list(reversed(list(reversed(items))))
    assert read_events(given) == read_events(items)


WHOLE = [
    pytest.param(case, id=case["id"].rpartition("::")[2])
    for case in recorded_cases()
    if len(case["events"]) > 1 and all(isinstance(one["id"], int) for one in case["events"])
]


def as_it_came(recorded: dict[str, Any]) -> dict[str, Any]:
    """An event with the times and the texts that were left out, or read, when it was recorded."""
    item = recorded | {"timestamp": at(recorded["id"])}
    for key, details in recorded.items():
        if key.endswith("EventDetails"):
            texts = {name: json.dumps(details[name]) for name in ("input", "output", "cause") if name in details}
            item[key] = details | texts
    return item


@pytest.mark.parametrize("case", WHOLE)
def test_histories_recorded_on_aws_leave_no_job_open(case: dict[str, Any]):
    found = sorted((as_it_came(one) for one in case["events"]), key=lambda one: one["id"])
    story = read_events(found)
    assert [job.state for job in story.jobs if not job.status.done] == []
    if found[-1]["type"] == "ExecutionFailed" and story.jobs:
        assert story.last_job
        assert story.last_job.status_reason or not found[-1].get("executionFailedEventDetails", {}).get("error")


def test_a_history_of_25_000_events_is_read():
    items = [event(1, 0, "ExecutionStarted"), event(2, 1, "MapStateEntered", name="each")]
    items.append(event(3, 2, "MapStateStarted"))
    while len(items) < 24_990:
        number = len(items) + 1
        items += [
            event(number, 3, "MapIterationStarted", name="each"),
            event(number + 1, number, "TaskStateEntered", name="item", input=json.dumps({"n": number})),
            event(number + 2, number + 1, "ActivityScheduled"),
            event(number + 3, number + 2, "ActivityStarted", workerName="w"),
            event(number + 4, number + 3, "ActivityFailed", error="Once"),
        ]
    last = len(items)
    items.append(event(last + 1, last, "ExecutionFailed", error="Once"))
    begun = time.monotonic()
    story = read_events(items)
    print(f"{len(items)} events in {time.monotonic() - begun:.2f} s")
    assert len(story.jobs) > 4_900
    assert all(job.status.done for job in story.jobs)
