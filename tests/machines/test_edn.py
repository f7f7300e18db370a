"""Machines in Stepwise's notation become the same ASL that Stepwise made of them: each row of its table."""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.commands import Line
from workers.arns import Place
from workers.errors import UsageError
from workers.local import LocalStepFunctions
from workers.machines import parse, to_asl, validate
from workers.machines.stepwise.sugar import from_stepwise
from workers.machines.text import as_yaml

HERE = Place("aws", "us-west-2", "1")
LAMBDA = "arn:aws:lambda:us-west-2:1:function:f"
TASK = f':type :task :resource "{LAMBDA}"'
MIDNIGHT = "2020-01-01T00:00:00.000Z"

STATES = {
    f"{{{TASK} :next :b}}": {"Type": "Task", "Resource": LAMBDA, "Next": "b"},
    f"{{{TASK} :end true}}": {"Type": "Task", "Resource": LAMBDA, "End": True},
    "{:type :task :resource :activity/add :end 1}": {
        "Type": "Task",
        "Resource": "arn:aws:states:us-west-2:1:activity:activity__add",
        "End": True,
    },
    f"{{{TASK} :timeout-seconds 9 :heartbeat-seconds 3 :end true}}": {"TimeoutSeconds": 9, "HeartbeatSeconds": 3},
    f'{{{TASK} :input-path "$.a" :output-path "$.b" :result-path "$.c" :end true}}': {
        "InputPath": "$.a",
        "OutputPath": "$.b",
        "ResultPath": "$.c",
    },
    f"{{{TASK} :input-path nil :output-path nil :result-path nil :end true}}": {
        "InputPath": None,
        "OutputPath": None,
        "ResultPath": None,
    },
    f'{{{TASK} :parameters {{:k "v" "x.$" "$.x" :a/b :c/d :s #{{2 1}} :at #inst "2020-01-01"}} :end true}}': {
        "Parameters": {"k": "v", "x.$": "$.x", "b": "d", "s": [1, 2], "at": MIDNIGHT}
    },
    f'{{{TASK} :result-selector {{"z.$" "$.z"}} :end true}}': {"ResultSelector": {"z.$": "$.z"}},
    '{:type :pass :result {:some "r"} :next :b}': {"Type": "Pass", "Result": {"some": "r"}, "Next": "b"},
    '{:type :fail :error :ns/boom :cause "why"}': {"Type": "Fail", "Error": "ns__boom", "Cause": "why"},
    "{:type :succeed}": {"Type": "Succeed"},
    "{:type :wait :seconds 10 :next :b}": {"Type": "Wait", "Seconds": 10},
    '{:type :wait :seconds-path "$.s" :next :b}': {"SecondsPath": "$.s"},
    '{:type :wait :timestamp #inst "2020-01-01" :next :b}': {"Timestamp": MIDNIGHT},
    '{:type :wait :timestamp #inst "2020-01-01T02:00:00.125+02:00" :next :b}': {
        "Timestamp": "2020-01-01T00:00:00.125Z"
    },
    '{:type :wait :timestamp-path "$.t" :next :b}': {"TimestampPath": "$.t"},
    '{:type :parallel :branches [{:start-at :p :comment "c" :states {:p {:type :succeed}}}] :end true}': {
        "Type": "Parallel",
        "Branches": [{"StartAt": "p", "Comment": "c", "States": {"p": {"Type": "Succeed"}}}],
        "End": True,
    },
    '{:type :choice :choices [{:condition "$.f" :next :b}] :default :b}': {
        "Type": "Choice",
        "Choices": [{"Variable": "$.f", "BooleanEquals": True, "Next": "b"}],
        "Default": "b",
    },
    f"{{{TASK} :retry [{{:error-equals :States.ALL}}] :end true}}": {"Retry": [{"ErrorEquals": ["States.ALL"]}]},
    f"{{{TASK} :retry [{{:error-equals #{{:b/c :a}}}}] :end true}}": {"Retry": [{"ErrorEquals": ["a", "b__c"]}]},
    f'{{{TASK} :retry [{{:error-equals ["z" :a]}}] :end true}}': {"Retry": [{"ErrorEquals": ["z", "a"]}]},
    f"{{{TASK} :retry [{{:error-equals :e :interval-seconds 1 :max-attempts 3 :backoff-rate 2}}] :end true}}": {
        "Retry": [{"ErrorEquals": ["e"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2.0}]
    },
    f'{{{TASK} :catch [{{:error-equals :e :next :b :result-path "$.error"}}] :end true}}': {
        "Catch": [{"ErrorEquals": ["e"], "Next": "b", "ResultPath": "$.error"}]
    },
    '{:type :succeed :comment "c"}': {"Type": "Succeed", "Comment": "c"},
}
CONDITIONS = {
    '"$.flag"': {"Variable": "$.flag", "BooleanEquals": True},
    '[:not "$.flag"]': {"Not": {"Variable": "$.flag", "BooleanEquals": True}},
    '[:= "$.t" "Private"]': {"Variable": "$.t", "StringEquals": "Private"},
    '[:> "$.t" "m"]': {"Variable": "$.t", "StringGreaterThan": "m"},
    '[:>= "$.t" "m"]': {"Variable": "$.t", "StringGreaterThanEquals": "m"},
    '[:< "$.t" "m"]': {"Variable": "$.t", "StringLessThan": "m"},
    '[:<= "$.t" "m"]': {"Variable": "$.t", "StringLessThanEquals": "m"},
    '[:= "$.v" 20]': {"Variable": "$.v", "NumericEquals": 20},
    '[:> "$.v" 20]': {"Variable": "$.v", "NumericGreaterThan": 20},
    '[:>= "$.v" 20]': {"Variable": "$.v", "NumericGreaterThanEquals": 20},
    '[:< "$.v" 1.5]': {"Variable": "$.v", "NumericLessThan": 1.5},
    '[:<= "$.v" 1.5]': {"Variable": "$.v", "NumericLessThanEquals": 1.5},
    '[:= "$.d" #inst "2020-01-01"]': {"Variable": "$.d", "TimestampEquals": MIDNIGHT},
    '[:> "$.d" #inst "2020-01-01"]': {"Variable": "$.d", "TimestampGreaterThan": MIDNIGHT},
    '[:>= "$.d" #inst "2020-01-01"]': {"Variable": "$.d", "TimestampGreaterThanEquals": MIDNIGHT},
    '[:< "$.d" #inst "2020-01-01"]': {"Variable": "$.d", "TimestampLessThan": MIDNIGHT},
    '[:<= "$.d" #inst "2020-01-01"]': {"Variable": "$.d", "TimestampLessThanEquals": MIDNIGHT},
    '[:and "$.f" [:= "$.v" 20] "$.g"]': {
        "And": [
            {"Variable": "$.f", "BooleanEquals": True},
            {"Variable": "$.v", "NumericEquals": 20},
            {"Variable": "$.g", "BooleanEquals": True},
        ]
    },
    '[:or "$.f" [:not [:= "$.t" "x"]]]': {
        "Or": [
            {"Variable": "$.f", "BooleanEquals": True},
            {"Not": {"Variable": "$.t", "StringEquals": "x"}},
        ]
    },
}


def machine(state: str) -> str:
    """A definition with the state in question, and another that it may lead to."""
    return f"{{:start-at :a :states {{:a {state} :b {{:type :succeed}}}}}}"


def asl(text: str) -> dict[str, Any]:
    """The ASL of a definition of Stepwise, by way of the file that `convert` writes."""
    written = parse(as_yaml(from_stepwise(text).notation))
    return written._read(HERE, None).asl


@pytest.mark.parametrize("state", STATES)
def test_a_state_becomes_what_stepwise_made_of_it(state: str):
    found = asl(machine(state))["States"]["a"]
    wanted = STATES[state]
    assert found == wanted if "Type" in wanted and len(wanted) > 2 else found.items() >= wanted.items()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_becomes_what_stepwise_made_of_it(condition: str):
    found = asl(machine(f"{{:type :choice :choices [{{:condition {condition} :next :b}}] :default :b}}"))
    assert found["States"]["a"]["Choices"] == [{**CONDITIONS[condition], "Next": "b"}]


def test_a_machine_becomes_what_stepwise_made_of_it():
    text = '{:start-at :a :states {:a {:type :succeed}} :comment "c" :timeout-seconds 60}'
    wanted = {"StartAt": "a", "States": {"a": {"Type": "Succeed"}}, "Comment": "c", "TimeoutSeconds": 60}
    assert to_asl(from_stepwise(text).notation) == wanted


def test_names_of_states_are_kept_as_they_are():
    states = "{:value-in/twenties {:type :pass :next :comment} :comment {:type :succeed}}"
    text = f"{{:start-at :value-in/twenties :states {states}}}"
    found = asl(text)
    assert (found["StartAt"], [*found["States"]]) == ("value-in__twenties", ["value-in__twenties", "comment"])


def test_what_stepwise_did_without_a_word_is_said():
    state = "{:type :wait :seconds 1 :retry [{:error-equals :a}] :end false}"
    converted = from_stepwise(machine(state))
    assert converted.notation["states"]["a"] == {"type": "wait", "seconds": 1, "end": True}
    assert converted.notes == [
        "states.a.retry: Stepwise ignored this in a wait state, so it is left out",
        "states.a.end: any value means the end in Stepwise, so it is true",
    ]
    (note,) = from_stepwise(machine(f"{{{TASK} :catch [{{:error-equals :ns/err :next :b}}] :end true}}")).notes
    assert "Stepwise wrote :ns/err as ns__err but its workers sent ns/err" in note


def test_keys_that_stepwise_did_not_know_are_problems():
    found = validate(from_stepwise(machine("{:type :succeed :boom 1}")).notation)
    assert ("unknown-key", "states.a.boom") in [(one.code, one.path) for one in found]


REFUSED = {
    "": "holds 0 values",
    "{} {}": "holds 2 values",
    "{:a 1": "is no EDN: EOF Reached",
    "{:start-at #foo 1}": "is no EDN",
    '{:start-at #inst "2020-99-01"}': "is no EDN",
    "(defn machine [] 1)": "as a whole: there is no map here",
    "{:start-at machine/start}": "is no name: write a keyword or a text",
    "{:states [1]}": "states: there is no map here",
    "{:states {:a nil}}": "states.a: there is no map here",
    "{:states {:a {:type :map}}}": "states.a: its :type is none of :choice, :fail",
    "{:states {:a {}}}": "states.a: its :type is none of",
    "{:comment foo}": "foo is not data that a state machine can hold",
    "{:comment 1/2}": "1/2 is not data",
    "{:comment {1 2}}": "1 cannot be a key",
    "{:comment ##NaN}": "nan is not data",
    "{:comment 1e999M}": "is not data",
    "{:comment " + "[" * 3_000 + "]" * 3_000 + "}": "is nested too deeply",
    "{:states {:a {:type :choice :choices {}}}}": "states.a.choices: there is no vector here",
    "{:states {:a {:type :choice :choices [{:condition []}]}}}": "states.a.choices[0].condition: a condition is",
    '{:states {:a {:type :choice :choices [{:condition [:!= "$.a" 1]}]}}}': "a condition is a path",
    '{:states {:a {:type :choice :choices [{:condition [:= 1 "$.a"]}]}}}': "must be a string",
    '{:states {:a {:type :choice :choices [{:condition [:and [:= "$.a" nil]]}]}}}': (
        "states.a.choices[0].condition[1]: Invalid value type in comparison condition"
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_definition_is_refused_with_its_place(text: str):
    with pytest.raises(UsageError) as error:
        from_stepwise(text)
    assert REFUSED[text] in str(error.value)


SCRAPS = [
    *REFUSED, *CONDITIONS, *STATES, ":a", ":a/b", "{", "}", "[", "]", "#{", "(", ")", '"', "\\", "#inst", "#_", ";",
    ":states", ":start-at", ":type", ":choice", ":choices", ":condition", ":retry", ":error-equals", "nil", "1", "1.5M",
]  # fmt: skip


@given(st.lists(st.sampled_from(SCRAPS) | st.text(max_size=3), max_size=12).map(" ".join))
def test_any_text_is_a_machine_or_refused_in_words(text: str):
    with suppress(UsageError):
        validate(from_stepwise(text).notation)


def test_without_its_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "edn_format", None)
    with pytest.raises(UsageError, match=r"pip install 'sfn-workers\[edn\]'"):
        from_stepwise("{}")


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(capsys)


def test_the_command_prints_a_file_for_put(
    line: Line, tmp_path: Path, engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WORKERS_LOCAL", "true")
    monkeypatch.setenv("WORKERS_LOCAL_PORT", str(engine.port))
    file = tmp_path / "adder.edn"
    file.write_text(machine("{:type :task :resource :add :next :b}"))
    said = line.ok("machines", "convert", str(file))
    (tmp_path / "adder.yaml").write_text(said.out)
    assert "no-timeout" in said.err
    asl = line.ok("machines", "render", str(tmp_path / "adder.yaml")).out
    assert json.loads(asl)["States"]["a"]["Resource"].endswith(":123456789012:activity:add")

    file.write_text(machine("{:type :pass :next :nowhere}"))
    said = line("machines", "convert", str(file))
    assert (said.code, "missing-target" in said.err) == (1, True)
    file.write_text("{")
    assert line.refused("machines", "convert", str(file)) == f"{file} is no EDN: EOF Reached"
    assert "cannot read" in line.refused("machines", "convert", str(tmp_path / "none.edn"))
