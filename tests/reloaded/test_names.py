import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.arns import check_name
from workers.reloaded.names import Snapshot, original, owner_name

NAMES = st.text(string.ascii_letters + string.digits + "-_.", min_size=1, max_size=80)


@given(NAMES, st.text(min_size=1))
def test_a_fresh_name_is_one_that_aws_takes(name: str, user: str) -> None:
    snapshot = Snapshot(owner_name(user))
    assert check_name(snapshot.name(name), "activity")
    assert Snapshot.of(snapshot.name(name)) == snapshot


def test_no_two_runs_share_a_name() -> None:
    assert len({Snapshot("ada").name("x" * 80) for _ in range(1_000)}) == 1_000


def test_long_names_that_begin_alike_stay_apart() -> None:
    snapshot = Snapshot("ada")
    assert snapshot.name("x" * 79 + "a") != snapshot.name("x" * 79 + "b")


@given(NAMES)
def test_the_name_behind_a_fresh_one_is_found_again(name: str) -> None:
    assert original(Snapshot("ada").name(name), ["other", name]) == name


@pytest.mark.parametrize("name", ["add", "add-dev-ada-short", "add-dev-ada-abcdefghijkl-x"])
def test_other_names_are_of_no_run(name: str) -> None:
    assert Snapshot.of(name) is None
    assert original(name, [name]) is None


def test_users_who_would_be_called_alike_are_told_apart() -> None:
    users = ["ada", "Ada", "a.da", "a_da", "ada.lovelace.the.first", "ada.lovelace.the.second", ""]
    assert len({owner_name(user) for user in users}) == len(users)
    assert owner_name("ada") == "ada"
