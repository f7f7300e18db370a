"""Definitions for AWS Batch: which jobs wait for which, and what may not be. Numbers: those of the acceptance tests."""

from typing import Any

import pytest

from workers.arns import Place
from workers.machines.definition import load
from workers.manager.batch.graph import read_graph, waves
from workers.manager.batch.machine import batch_machine, job_name
from workers.manager.batch.starting import read_arguments
from workers.manager.errors import InvalidError

PLACE = Place("aws", "us-east-1", "123456789012")


def job(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "fake-resource", **fields}


CHAIN = {
    "StartAt": "a",
    "States": {
        "a": job(Next="b", Resource="fake-resource-1"),
        "b": job(Next="c", Resource="fake-resource-2", Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 4}]),
        "c": job(End=True, TimeoutSeconds=60),
    },
}
DIAMOND = {
    "StartAt": "a",
    "States": {
        "a": job(),
        "b": job(DependsOn=["a"], Next="d"),
        "c": job(DependsOn=["a"]),
        "d": job(DependsOn=["c"], Next="e"),
        "e": job(End=True),
    },
}


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({}, []),
        ({"a": ["b"], "b": ["c"], "c": []}, [["c"], ["b"], ["a"]]),
        ({"a": [], "b": [], "c": []}, [["a", "b", "c"]]),
        ({"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}, [["a"], ["b", "c"], ["d"]]),
        (
            {"a": [], "b": ["a"], "c": ["b", "f"], "d": ["a"], "e": ["d"], "f": ["e"], "g": []},
            [["a", "g"], ["b", "d"], ["e"], ["f"], ["c"]],
        ),
    ],
)
def test_53_waves(graph: dict[str, list[str]], expected: list[list[str]]):
    assert waves(graph) == expected


@pytest.mark.parametrize("graph", [{"a": ["b"], "b": ["a"]}, {"a": ["b"], "b": ["c"], "c": ["a"]}, {"a": ["a"]}])
def test_53_cycles(graph: dict[str, list[str]]):
    with pytest.raises(InvalidError, match="Detected cycle in dependency graph"):
        waves(graph)


def test_49_as_many_jobs_as_states_and_the_first_alone_gets_the_input():
    machine = batch_machine(read_graph(CHAIN), PLACE, "my-env")
    assert list(machine["States"]) == ["a", "b", "c"]
    arguments = {name: state["Arguments"] for name, state in machine["States"].items()}
    assert [one["JobName"] for one in arguments.values()] == [
        "my-env--fake-resource-1", "my-env--fake-resource-2", "my-env--fake-resource",
    ]  # fmt: skip
    assert [names(one) for one in arguments.values()] == [
        {"_EXECUTION_NAME", "_BATCH_START"},
        {"_EXECUTION_NAME", "_BATCH_DEPENDENCIES"},
        {"_EXECUTION_NAME", "_BATCH_DEPENDENCIES"},
    ]
    assert [one.get("RetryStrategy") for one in arguments.values()] == [None, {"Attempts": 4}, None]
    assert {problem.code for problem in load(machine).problems} <= {"no-timeout"}


def names(arguments: dict[str, Any]) -> set[str]:
    return {one["Name"] for one in arguments["ContainerOverrides"]["Environment"]}


@pytest.mark.parametrize(("start_at", "left"), [("a", ["a", "b", "c"]), ("b", ["b", "c"]), ("c", ["c"])])
def test_49_a_job_to_begin_with_is_respected(start_at: str, left: list[str]):
    graph = read_graph(CHAIN).begun_at(start_at)
    assert list(graph.states) == left
    machine = batch_machine(graph, PLACE, "")
    assert machine["StartAt"] == start_at
    assert "_BATCH_START" in names(machine["States"][start_at]["Arguments"])
    assert machine["States"][start_at]["Arguments"]["JobName"] == f"default--{start_at}"
    with pytest.raises(InvalidError, match="Invalid StartAt state nowhere"):
        graph.begun_at("nowhere")


def test_jobs_that_may_run_at_the_same_time_do():
    graph = read_graph(DIAMOND)
    assert graph.waves == [["a"], ["b", "c"], ["d"], ["e"]]
    machine = batch_machine(graph, PLACE, "")
    assert {problem.code for problem in load(machine).problems} <= {"no-timeout"}
    assert machine["States"]["_WAVE 2"]["Type"] == "Parallel"
    assert graph.begun_at("c").waves == [["c"], ["d"], ["e"]]


def test_names_that_batch_refuses():
    graph = read_graph({"StartAt": "a b", "States": {"a b": job(Resource="hello:1", End=True)}})
    assert job_name(graph.states["a b"], "ns") == "ns--hello-1"
    assert job_name(graph.states["a b"], "") == "default--a-b"


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ({}, "at least one state"),
        ({"a": {"Type": "Pass", "End": True}}, "every state is a job"),
        ({"a": {"Type": "Task"}}, "Resource"),
        ({"a": job(Next="x")}, "State x not found"),
        ({"a": job(DependsOn=["x"])}, "State x not found"),
        ({"a": job(DependsOn="x")}, "give a list"),
        ({"a": job(Next="b", End=True), "b": job()}, "not both"),
        ({"a": job(Next="b"), "b": job(Next="a")}, "cycle"),
        ({"a": job(End=True), "b": job(End=True)}, "1 states have no transition path: b"),
        ({"a": job(ResultPath="$.x")}, "ResultPath mean nothing"),
        ({"a": job(TimeoutSeconds=0)}, "whole seconds"),
        ({"a": job(Retry=[{"MaxAttempts": 11}])}, "1 to 10"),
    ],
)
def test_what_is_no_graph_of_jobs(states: dict[str, Any], says: str):
    with pytest.raises(InvalidError, match=says):
        read_graph({"StartAt": "a", "States": states})


def test_a_start_is_needed():
    with pytest.raises(InvalidError, match="StartAt is a required field"):
        read_graph({"States": {"a": job()}})


def test_arguments():
    assert read_arguments("") == []
    assert read_arguments('["a", "ü"]') == ["a", "ü"]
    assert read_arguments('{"args": ["a"]}') == ["a"]
    for text in ("{", '{"a": 1}', "[1]", '"a"', "null"):
        with pytest.raises(InvalidError, match="array"):
            read_arguments(text)
