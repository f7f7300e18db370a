import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers import UsageError
from workers.arns import check_name
from workers.reloaded.names import ROOM_NEEDED, Snapshot, original, owner_name

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


@given(NAMES, st.text(min_size=1), st.integers(ROOM_NEEDED, 80))
def test_a_fresh_name_keeps_to_its_room_and_says_whose_it_is(name: str, user: str, room: int) -> None:
    fresh = Snapshot(owner_name(user)).name(name, room=room)
    assert len(fresh) <= room
    found = Snapshot.of(fresh)
    assert found
    assert found.may_be_of(owner_name(user))
    assert original(fresh, ["other", name], room=room) == name


@given(st.sets(NAMES, min_size=2, max_size=9), st.integers(ROOM_NEEDED, 80))
def test_names_of_one_run_stay_apart_in_any_room(names: set[str], room: int) -> None:
    snapshot = Snapshot(owner_name("ada.lovelace"))
    assert len({snapshot.name(name, room=room) for name in names}) == len(names)


def test_a_short_form_is_of_no_other_owner() -> None:
    snapshot = Snapshot.of(Snapshot(owner_name("ada.lovelace")).name("x" * 80, room=ROOM_NEEDED))
    assert snapshot
    assert not snapshot.may_be_of(owner_name("ada"))
    assert not snapshot.may_be_of(owner_name("ada.byron"))


def test_where_nothing_has_room_it_is_said_what_has() -> None:
    with pytest.raises(UsageError, match=r"27 characters .* needs 28: take a namespace of at most 50"):
        Snapshot("root").name("order-fulfilment", room=ROOM_NEEDED - 1)
