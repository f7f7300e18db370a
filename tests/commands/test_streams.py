"""What is kept of a command's output, and what is passed on."""

import io

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.commands import streams
from workers.commands.streams import LastLine, Passing, Tail

chunks = st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b" \n", b"\r\n", b"a", "ü".encode()]), max_size=12)


@given(chunks)
def test_the_last_line_is_that_of_the_trimmed_stream(parts: list[bytes]):
    last = LastLine()
    for part in parts:
        last.add(part)
    assert last.line() == b"".join(parts).strip().rpartition(b"\n")[2].strip()


@given(chunks)
def test_of_a_long_line_only_the_begin_is_kept(parts: list[bytes]):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "LINE_LIMIT", 10)
        last = LastLine()
        for part in parts:
            last.add(part)
            assert len(last._open) <= 11
        line = b"".join(parts).strip().rpartition(b"\n")[2].strip()
        assert len(last.line()) <= 11
        assert line.startswith(last.line())
        assert last.too_long or last.line() == line


@given(chunks, st.integers(12, 60))
def test_a_tail_is_whole_characters_from_the_end(parts: list[bytes], room: int):
    tail = Tail(room)
    for part in parts:
        tail.add(part)
    text = tail.text(room=room)
    whole = b"".join(parts).decode(errors="replace").strip()
    assert len(text.encode()) <= room
    assert text == whole or text.startswith("[truncated] ")
    assert "\ufffd" in whole or whole.endswith(text.removeprefix("[truncated] "))


async def test_whole_lines_are_passed_on_and_the_last_is_finished():
    target = io.BytesIO()
    passing = Passing(target, anyio.CapacityLimiter(1), LastLine())
    await passing.take(b"one\ntw")
    assert target.getvalue() == b"one\n"
    await passing.take(b"o" + b"x" * 70_000)
    assert len(target.getvalue()) == 4 + 70_003
    await passing.take(b"\nthree")
    await passing.end()
    await passing.end()
    assert target.getvalue().endswith(b"x\nthree\n")


async def test_a_closed_stdout_does_not_harm_the_command():
    target = io.BytesIO()
    target.close()
    passing = Passing(target, anyio.CapacityLimiter(1), last := LastLine())
    await passing.take(b"1\n2")
    await passing.end()
    assert last.line() == b"2"
