import subprocess
import sys
from dataclasses import replace

from workers.reloaded.owner import Owner


def test_an_owner_is_read_back_from_tags() -> None:
    mine = Owner.current()
    assert Owner.of(mine.tags) == mine
    assert Owner.of({"workers:dev-user": mine.user}) is None


def test_what_a_running_process_owns_was_not_left() -> None:
    mine = Owner.current("ada")
    assert mine.runs_here
    assert not mine.left(mine)


def test_what_a_process_owned_that_is_gone_was_left_to_its_user_alone() -> None:
    mine = Owner.current("ada")
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    gone = replace(mine, process=f"{process.pid}-1")
    assert mine.left(gone)
    assert not mine.left(replace(gone, user="bob"))
    assert not mine.left(replace(gone, host="elsewhere"))


def test_a_process_id_that_is_used_again_is_another_process() -> None:
    mine = Owner.current("ada")
    before = replace(mine, process=f"{mine.process.partition('-')[0]}-12345")
    assert mine.left(before)


def test_a_process_that_was_killed_and_not_yet_waited_for_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        from workers.reloaded.owner import _process

        owner = replace(Owner.current(), process=_process(process.pid) or "")
        assert owner.runs_here
        process.kill()
        while owner.runs_here:
            pass
        process.wait()
