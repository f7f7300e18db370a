"""Names, namespaces and ARNs, by the rules of the API reference and the quotas page."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.arns import Place, activity_name, check_name, is_arn, namespaced
from workers.errors import UsageError

HERE = Place("aws", "eu-central-1", "123456789012")
ARN = "arn:aws:states:eu-central-1:123456789012:activity:add"


def refused_by_aws(character: str) -> bool:
    """The list of CreateActivity: white space, brackets, wildcards, special and control characters, and a few more."""
    code = ord(character)
    return (
        character.isspace()
        or character in '<>{}[]?*"#%\\^|~`$&,;:/'
        or code <= 0x1F
        or 0x7F <= code <= 0x9F
        or 0xD800 <= code <= 0xDFFF
        or code in {0xFFFE, 0xFFFF, 0x10FFFF}
    )


def accepted(name: str) -> bool:
    try:
        return check_name(name, "activity") == name
    except UsageError:
        return False


def test_every_character_there_is_is_judged_as_aws_does():
    wrong = [hex(code) for code in range(sys.maxunicode + 1) if accepted(chr(code)) == refused_by_aws(chr(code))]
    assert wrong == []


@given(st.text(max_size=90))
def test_a_name_is_accepted_when_its_length_and_all_its_characters_are(name: str):
    assert accepted(name) == (1 <= len(name) <= 80 and not any(map(refused_by_aws, name)))


@pytest.mark.parametrize("name", ["add", "a", "x" * 80, "NS--add", "Zoë", "a.b", "a@b", "(a)", "a=b", "it's", "+1!"])
def test_names_that_aws_takes(name: str):
    assert check_name(name, "activity") == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "the activity name is empty: give it 1 to 80 characters"),
        ("x" * 81, f"the activity name '{'x' * 81}' has 81 characters: AWS allows 80"),
        ("a b", "the activity name 'a b' holds ' ', which AWS refuses: use letters, digits, - and _"),
        ("a\n", r"the activity name 'a\n' holds '\n', which AWS refuses: use letters, digits, - and _"),
        ("<lambda>", "the activity name '<lambda>' holds '<', which AWS refuses: use letters, digits, - and _"),
    ],
)
def test_a_name_is_refused_with_what_is_wrong(name: str, message: str):
    with pytest.raises(UsageError) as caught:
        check_name(name, "activity")
    assert str(caught.value) == message


def test_the_message_says_whose_name_it_is():
    with pytest.raises(UsageError, match=r"^the state machine name 'a/b' holds '/'"):
        check_name("a/b", "state machine")


def test_a_namespace_stands_before_the_name():
    assert namespaced("add", "team") == "team--add"
    assert namespaced("add", None) == "add"
    assert namespaced("add", "") == "add"


def test_a_place_makes_arns_of_names_and_leaves_arns_alone():
    assert HERE.activity("add") == ARN
    assert HERE.activity(ARN) == ARN
    assert HERE.state_machine("orders") == "arn:aws:states:eu-central-1:123456789012:stateMachine:orders"
    assert HERE.execution("orders", "run-1") == "arn:aws:states:eu-central-1:123456789012:execution:orders:run-1"
    china = Place("aws-cn", "cn-north-1", "000000000000")
    assert china.activity("add") == "arn:aws-cn:states:cn-north-1:000000000000:activity:add"
    assert china.state_machine(ARN) == ARN


def test_a_name_in_a_namespace_that_grows_too_long_is_refused():
    with pytest.raises(UsageError, match="has 84 characters"):
        HERE.activity(namespaced("x" * 76, "prod12"))


@pytest.mark.parametrize("arn", [ARN, "arn:aws-us-gov:states:us-gov-west-1:000000000000:activity:add"])
def test_the_name_in_an_arn(arn: str):
    assert is_arn(arn)
    assert activity_name(arn) == "add"


@pytest.mark.parametrize(
    "text",
    [
        "add",
        "arn:aws:states:eu-central-1:123456789012:activity:",
        "arn:aws:states:eu-central-1:123456789012:stateMachine:add",
        "arn:aws:states:eu-central-1:12345678901:activity:add",
        "arn:aws:states:eu-central-1:١٢٣٤٥٦٧٨٩٠١٢:activity:add",
        "arn:aws:lambda:eu-central-1:123456789012:function:add",
        " " + ARN,
        ARN + "\n",
        "",
    ],
)
def test_anything_else_is_not_the_arn_of_an_activity(text: str):
    with pytest.raises(UsageError, match="is not the ARN of an activity: arn:PARTITION:states:REGION"):
        activity_name(text)
