"""Definitions that each break one rule: the text, then the problem's code, path and line."""


def one_state(*lines: str) -> str:
    """A machine of one state that stands in the lines from 4 on."""
    return "\n".join(["start_at: S", "states:", "  S:", *(f"    {line}" for line in lines)])


END = "end: true"
DONE = "done: {type: succeed}"


def with_done(*lines: str) -> str:
    """A machine of a state `S`, whose keys stand in the lines from 5 on, and a state `done`."""
    return "\n".join(["start_at: S", "states:", f"  {DONE}", "  S:", *(f"    {line}" for line in lines)])


MAP = ("type: map", END, "item_processor: {start_at: I, states: {I: {type: succeed}}}")
CONFIG = "processor_config: {mode: DISTRIBUTED, execution_type: STANDARD}"
DISTRIBUTED = ("type: map", END, f"item_processor: {{{CONFIG}, start_at: I, states: {{I: {{type: succeed}}}}}}")
SNS = ("type: task", "resource: arn:aws:states:::sns:publish")
JSONATA = ("type: pass", "query_language: JSONata", END)

BROKEN = {
    # the text itself
    "yaml": ("start_at: S\nstates: {S: ]", "syntax", "", 2),
    "json": ('{"StartAt": "S",\n "States": }', "syntax", "", 2),
    "json number": ('{"StartAt": "S", "TimeoutSeconds": NaN}', "syntax", "", None),
    "tag": ("start_at: !Ref S", "syntax", "", 1),
    "empty": ("# nothing\n", "syntax", "", None),
    "no object": ("- a\n- b\n", "wrong-type", "", None),
    "key twice, yaml": (one_state("type: pass", END, "end: true"), "duplicate-key", "states.S.end", 6),
    "key twice, json": (
        '{"StartAt": "S",\n "States": {"S": {"Type": "Pass",\n "End": true,\n "End": true}}}',
        "duplicate-key", "States.S.End", 4,
    ),
    "both spellings": (one_state("type: pass", END, "End: true"), "bad-notation", "states.S.End", 6),
    # keys
    "unknown key of the machine": ("start: S\nstart_at: S\nstates: {S: {type: succeed}}", "unknown-key", "start", 1),
    "unknown key of a state": (one_state("type: pass", END, "coment: x"), "unknown-key", "states.S.coment", 6),
    "unknown key of a retrier": (
        one_state(*SNS, END, "retry:", "  - error_equals: E", "    attempts: 3"),
        "unknown-key", "states.S.retry[0].attempts", 9,
    ),
    "unknown key, json": (
        '{"StartAt": "S",\n "States": {"S": {"Type": "Succeed",\n "Endd": true}}}',
        "unknown-key", "States.S.Endd", 3,
    ),
    "key of another type": (
        one_state("type: wait", "seconds: 1", END, "retry: []"), "misplaced-key", "states.S.retry", 7,
    ),
    "timeout of a map": (one_state(*MAP, "timeout_seconds: 3"), "misplaced-key", "states.S.timeout_seconds", 7),
    "next of a choice": (
        with_done("type: choice", "choices: [{condition: $.a, next: done}]", "default: done", "next: done"),
        "misplaced-key", "states.S.next", 8,
    ),
    "language of a branch": (
        one_state("type: parallel", END, "branches:", "  - query_language: JSONata", "    start_at: B",
                  "    states: {B: {type: succeed}}"),
        "misplaced-key", "states.S.branches[0].query_language", 7,
    ),
    "no start": ("states: {S: {type: succeed}}", "missing-key", "", None),
    "no states": ("start_at: S", "missing-key", "", None),
    "no type": (one_state("end: true"), "missing-key", "states.S", 3),
    "no resource": (one_state("type: task", END), "missing-key", "states.S", 3),
    "no next": (one_state("type: pass"), "missing-key", "states.S", 3),
    "no time to wait": (one_state("type: wait", END), "missing-key", "states.S", 3),
    "no choices": (with_done("type: choice", "default: done"), "missing-key", "states.S", 4),
    "no processor": (one_state("type: map", END), "missing-key", "states.S", 3),
    "no error to match": (
        one_state(*SNS, END, "retry:", "  - max_attempts: 3"), "missing-key", "states.S.retry[0]", 8,
    ),
    "no target of a catcher": (
        one_state(*SNS, END, "catch:", "  - error_equals: E"), "missing-key", "states.S.catch[0]", 8,
    ),
    "no target of a rule": (
        with_done("type: choice", "default: done", "choices:", "  - condition: $.a"),
        "missing-key", "states.S.choices[0]", 8,
    ),
    "no execution type": (
        one_state("type: map", END, "item_processor:", "  processor_config: {mode: DISTRIBUTED}", "  start_at: I",
                  "  states: {I: {type: succeed}}"),
        "missing-key", "states.S.item_processor.processor_config", 7,
    ),
    "no headers": (
        one_state(*DISTRIBUTED, "item_reader:", "  resource: arn:aws:states:::s3:getObject",
                  "  reader_config: {input_type: CSV, csv_header_location: GIVEN}"),
        "missing-key", "states.S.item_reader.reader_config", 9,
    ),
    "no size of batches": (one_state(*DISTRIBUTED, "item_batcher: {}"), "missing-key", "states.S.item_batcher", 7),
    # what excludes each other
    "next and end": (with_done("type: pass", "next: done", END), "conflict", "states.S.end", 7),
    "two times to wait": (
        one_state("type: wait", END, "seconds: 1", "timestamp_path: $.t"), "conflict", "states.S.timestamp_path", 7,
    ),
    "two timeouts": (
        one_state(*SNS, END, "timeout_seconds: 1", "timeout_seconds_path: $.t"),
        "conflict", "states.S.timeout_seconds_path", 8,
    ),
    "two errors": (one_state("type: fail", "error: E", "error_path: $.e"), "conflict", "states.S.error_path", 6),
    "two processors": (
        one_state(*MAP, "iterator: {start_at: J, states: {J: {type: succeed}}}"), "conflict", "states.S.iterator", 7,
    ),
    "key with and without .$": (
        one_state("type: pass", END, "parameters:", "  a: 1", "  a.$: $.a"), "conflict", "states.S.parameters.a.$", 8,
    ),
    # the graph
    "no such start": ("start_at: T\nstates: {S: {type: succeed}}", "missing-target", "start_at", 1),
    "no such start of a branch": (
        with_done("type: parallel", "next: done", "branches:", "  - {start_at: B, states: {B: {type: succeed}}}",
                  "  - start_at: X", "    states: {C: {type: succeed}}"),
        "missing-target", "states.S.branches[1].start_at", 9,
    ),
    "no such start of a map in a branch": (
        one_state("type: parallel", END, "branches:", "  - start_at: M", "    states:",
                  "      M: {type: map, end: true, item_processor: {start_at: S, states: {I: {type: succeed}}}}"),
        "missing-target", "states.S.branches[0].states.M.item_processor.start_at", 9,
    ),
    "start of a branch outside of it": (
        one_state(*MAP[:2], "item_processor:", "  start_at: S", "  states: {I: {type: succeed}}"),
        "missing-target", "states.S.item_processor.start_at", 7,
    ),
    "no such next": (one_state("type: pass", "next: T"), "missing-target", "states.S.next", 5),
    "no such default": (
        with_done("type: choice", "choices: [{condition: $.a, next: done}]", "default: dome"),
        "missing-target", "states.S.default", 7,
    ),
    "no such target of a rule": (
        with_done("type: choice", "default: done", "choices:", "  - {condition: $.a, next: dome}"),
        "missing-target", "states.S.choices[0].next", 8,
    ),
    "no such target of a catcher": (
        one_state(*SNS, END, "catch:", "  - {error_equals: E, next: T}"), "missing-target", "states.S.catch[0].next", 8,
    ),
    "target outside of the branch": (
        with_done("type: parallel", "next: done", "branches:", "  - start_at: B",
                  "    states: {B: {type: pass, next: done}}"),
        "missing-target", "states.S.branches[0].states.B.next", 9,
    ),
    "unreachable": (
        one_state("type: pass", END) + "\n  alone: {type: succeed}", "unreachable", "states.alone", 6,
    ),
    "unreachable in an iterator": (
        one_state("type: map", END, "iterator:", "  start_at: I", "  states:", "    I: {type: succeed}",
                  "    J: {type: succeed}"),
        "unreachable", "states.S.iterator.states.J", 10,
    ),
    "no way to an end": (
        one_state("type: pass", "next: T") + "\n  T: {type: pass, next: S}", "no-end", "", None,
    ),
    "no way to an end in a branch": (
        one_state("type: parallel", END, "branches:", "  - start_at: B", "    states: {B: {type: pass, next: B}}"),
        "no-end", "states.S.branches[0]", 7,
    ),
    # names
    "long name": (
        f"start_at: {'x' * 81}\nstates: {{{'x' * 81}: {{type: succeed}}}}", "bad-name", f"states.{'x' * 81}", 2,
    ),
    "same name inside": (
        one_state("type: map", END, "iterator:", "  start_at: S", "  states:", "    S: {type: succeed}"),
        "duplicate-name", "states.S.iterator.states.S", 9,
    ),
    "reserved error": (
        one_state(*SNS, END, "retry:", "  - error_equals: States.Timeut"),
        "reserved-name", "states.S.retry[0].error_equals[0]", 8,
    ),
    "reserved HTTP status": (
        one_state(*SNS, END, "retry:", "  - error_equals: States.Http.StatusCode.4290"),
        "reserved-name", "states.S.retry[0].error_equals[0]", 8,
    ),
    "reserved variable": (
        one_state("type: pass", END, "assign:", "  states: 1"), "reserved-name", "states.S.assign.states", 7,
    ),
    "bad variable": (one_state("type: pass", END, "assign:", "  1st: 1"), "bad-name", "states.S.assign.1st", 7),
    "bad label": (one_state(*DISTRIBUTED, "label: a b"), "bad-name", "states.S.label", 7),
    "long label": (one_state(*DISTRIBUTED, f"label: {'x' * 41}"), "bad-name", "states.S.label", 7),
    # retry and catch
    "States.ALL in company": (
        one_state(*SNS, END, "retry:", "  - error_equals: [E, States.ALL]"),
        "states-all", "states.S.retry[0].error_equals", 8,
    ),
    "States.ALL before others": (
        with_done(*SNS, END, "catch:", "  - {error_equals: States.ALL, next: done}",
                  "  - {error_equals: E, next: done}"),
        "states-all", "states.S.catch[0].error_equals", 9,
    ),
    "no errors": (one_state(*SNS, END, "retry:", "  - error_equals: []"), "empty", "states.S.retry[0].error_equals", 8),
    "error without a name": (
        one_state(*SNS, END, "retry:", '  - error_equals: ""'), "empty", "states.S.retry[0].error_equals[0]", 8,
    ),
    "delays the wrong way round": (
        one_state(*SNS, END, "retry:", "  - error_equals: E", "    interval_seconds: 9", "    max_delay_seconds: 9"),
        "out-of-range", "states.S.retry[0].max_delay_seconds", 10,
    ),
    "interval of nothing": (
        one_state(*SNS, END, "retry:", "  - error_equals: E", "    interval_seconds: 0"),
        "out-of-range", "states.S.retry[0].interval_seconds", 9,
    ),
    "attempts below nothing": (
        one_state(*SNS, END, "retry:", "  - error_equals: E", "    max_attempts: -1"),
        "out-of-range", "states.S.retry[0].max_attempts", 9,
    ),
    "backoff below one": (
        one_state(*SNS, END, "retry:", "  - error_equals: E", "    backoff_rate: 0.5"),
        "out-of-range", "states.S.retry[0].backoff_rate", 9,
    ),
    "unknown jitter": (
        one_state(*SNS, END, "retry:", "  - error_equals: E", "    jitter_strategy: SOME"),
        "bad-value", "states.S.retry[0].jitter_strategy", 9,
    ),
    # values
    "unknown type": (one_state("type: taks", END), "unknown-type", "states.S.type", 4),
    "state that is text": ("start_at: S\nstates:\n  S: done", "wrong-type", "states.S", 3),
    "states that are a list": ("start_at: S\nstates: []", "wrong-type", "states", 2),
    "no state at all": ("start_at: S\nstates: {}", "empty", "states", 2),
    "next that is a number": (one_state("type: pass", "next: 3"), "wrong-type", "states.S.next", 5),
    "end that is text": (one_state("type: pass", "end: yes"), "wrong-type", "states.S.end", 5),
    "timeout of nothing": ("timeout_seconds: 0\n" + one_state("type: succeed"), "out-of-range", "timeout_seconds", 1),
    "half a second": (one_state("type: wait", END, "seconds: 0.5"), "wrong-type", "states.S.seconds", 6),
    "seconds before now": (one_state("type: wait", END, "seconds: -1"), "out-of-range", "states.S.seconds", 6),
    "longest time": (one_state("type: wait", END, "seconds: 100000000"), "out-of-range", "states.S.seconds", 6),
    "true seconds": (one_state("type: wait", END, "seconds: true"), "wrong-type", "states.S.seconds", 6),
    "day without an hour": (
        one_state("type: wait", END, "timestamp: 2020-01-01"), "bad-timestamp", "states.S.timestamp", 6,
    ),
    "day that does not exist": (
        one_state("type: wait", END, "timestamp: 2020-02-30T00:00:00Z"), "bad-timestamp", "states.S.timestamp", 6,
    ),
    "heartbeat as long as the timeout": (
        one_state(*SNS, END, "timeout_seconds: 9", "heartbeat_seconds: 9"),
        "heartbeat-not-below-timeout", "states.S.heartbeat_seconds", 8,
    ),
    "resource that is no ARN": (
        one_state("type: task", "resource: arn:sns", END), "bad-resource", "states.S.resource", 5,
    ),
    "resource of no service": (
        one_state("type: task", "resource: sqs:send", END), "bad-notation", "states.S.resource", 5,
    ),
    "unknown mode": (
        one_state("type: map", END, "iterator:", "  processor_config: {mode: BOTH}", "  start_at: I",
                  "  states: {I: {type: succeed}}"),
        "bad-value", "states.S.iterator.processor_config.mode", 7,
    ),
    "too much tolerance": (
        one_state(*DISTRIBUTED, "tolerated_failure_percentage: 101"),
        "out-of-range", "states.S.tolerated_failure_percentage", 7,
    ),
    "reader of an inline map": (
        one_state(*MAP, "item_reader: {resource: 'arn:aws:states:::s3:getObject'}"),
        "distributed-only", "states.S.item_reader", 7,
    ),
    "parameters that are text": (one_state("type: pass", END, "parameters: x"), "wrong-type", "states.S.parameters", 6),
    "activity in an express map": (
        one_state("type: map", END, "item_processor:",
                  "  processor_config: {mode: DISTRIBUTED, execution_type: EXPRESS}", "  start_at: I", "  states:",
                  "    I: {type: task, resource: add, end: true}"),
        "not-in-express", "states.S.item_processor.states.I.resource", 10,
    ),
    # paths and intrinsic functions
    "path without $": (one_state("type: pass", END, "input_path: a.b"), "bad-path", "states.S.input_path", 6),
    "path with a hole": (one_state("type: pass", END, "output_path: $.a..[")  , "bad-path", "states.S.output_path", 6),
    "result to many places": (
        one_state("type: pass", END, "result_path: '$.a[*]'"), "not-a-reference-path", "states.S.result_path", 6,
    ),
    "result into the context": (
        one_state("type: pass", END, "result_path: $$.a"), "not-a-reference-path", "states.S.result_path", 6,
    ),
    "null that means nothing": (
        one_state("type: wait", END, "seconds_path: null"), "wrong-type", "states.S.seconds_path", 6,
    ),
    "function in a path": (
        one_state("type: pass", END, "input_path: States.UUID()"), "bad-path", "states.S.input_path", 6,
    ),
    "bad path in parameters": (
        one_state("type: pass", END, "parameters:", "  a:", "    - b.$: x"),
        "bad-path", "states.S.parameters.a[0].b.$", 8,
    ),
    "no path in parameters": (
        one_state("type: pass", END, "parameters:", "  a.$: 3"), "bad-path", "states.S.parameters.a.$", 7,
    ),
    "unknown function": (
        one_state("type: pass", END, "parameters:", "  a.$: States.Uuid()"),
        "bad-intrinsic", "states.S.parameters.a.$", 7,
    ),
    "too few arguments": (
        one_state("type: fail", "cause_path: States.Format()"), "bad-intrinsic", "states.S.cause_path", 5,
    ),
    # conditions
    "two comparisons": (
        with_done("type: choice", "default: done", "choices:", "  - variable: $.a", "    is_null: true",
                  "    is_present: true", "    next: done"),
        "bad-condition", "states.S.choices[0]", 8,
    ),
    "comparison of nothing": (
        with_done("type: choice", "default: done", "choices:", "  - {is_null: true, next: done}"),
        "missing-key", "states.S.choices[0]", 8,
    ),
    "no condition": (
        with_done("type: choice", "default: done", "choices:", "  - next: done"),
        "bad-condition", "states.S.choices[0]", 8,
    ),
    "all of nothing": (
        with_done("type: choice", "default: done", "choices:", "  - {And: [], next: done}"),
        "empty", "states.S.choices[0].And", 8,
    ),
    "number compared with text": (
        with_done("type: choice", "default: done", "choices:", "  - {condition: [numeric_equals, $.a, x], next: done}"),
        "wrong-type", "states.S.choices[0].condition[2]", 8,
    ),
    "no path to compare": (
        with_done("type: choice", "default: done", "choices:", "  - condition: [not, ['=', a, 1]]", "    next: done"),
        "bad-path", "states.S.choices[0].condition[1][1]", 8,
    ),
    "unknown operator": (
        with_done("type: choice", "default: done", "choices:", "  - {condition: [like, $.a, x], next: done}"),
        "bad-notation", "states.S.choices[0].condition", 8,
    ),
    "next inside a condition": (
        with_done("type: choice", "default: done", "choices:",
                  "  - {not: {variable: $.a, is_null: true, Next: done}, next: done}"),
        "misplaced-key", "states.S.choices[0].not.Next", 8,
    ),
    "comment of a condition": (
        with_done("type: choice", "default: done", "choices:",
                  "  - {not: {variable: $.a, is_null: true, comment: 1}, next: done}"),
        "wrong-type", "states.S.choices[0].not.comment", 8,
    ),
    "rules that are none": (
        with_done("type: choice", "default: done", "choices: []"), "empty", "states.S.choices", 7,
    ),
    # query languages
    "output without JSONata": (one_state("type: pass", END, "output: 1"), "wrong-language", "states.S.output", 6),
    "path in JSONata": (one_state(*JSONATA, "input_path: $.a"), "wrong-language", "states.S.input_path", 7),
    "back to JSONPath": (
        "query_language: JSONata\n" + one_state("type: pass", END, "query_language: JSONPath"),
        "wrong-language", "states.S.query_language", 7,
    ),
    "nested states have the machine's language": (
        one_state("type: map", "query_language: JSONata", END, "item_processor:", "  start_at: I",
                  "  states: {I: {type: pass, end: true, output: 1}}"),
        "wrong-language", "states.S.item_processor.states.I.output", 9,
    ),
    "unknown language": (
        one_state("type: succeed", "query_language: JSONPth"), "bad-value", "states.S.query_language", 5,
    ),
    "expression that is not closed": (
        one_state(*JSONATA, "output: {a: '{% $x'}"), "bad-expression", "states.S.output.a", 7,
    ),
    "empty expression": (one_state(*JSONATA, "output: '{% %}'"), "bad-expression", "states.S.output", 7),
    "unknown part of $states": (
        one_state(*JSONATA, "output: '{% $states.output %}'"), "bad-expression", "states.S.output", 7,
    ),
    "variable in JSONata": (
        with_done("type: choice", "query_language: JSONata", "default: done", "choices:",
                  "  - {variable: $.a, is_null: true, next: done}"),
        "wrong-language", "states.S.choices[0].variable", 9,
    ),
    "condition without JSONata": (
        with_done("type: choice", "default: done", "choices:", "  - {condition: '{% true %}', next: done}"),
        "wrong-language", "states.S.choices[0].condition", 8,
    ),
}  # fmt: skip
