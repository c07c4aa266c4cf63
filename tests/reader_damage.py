"""Ways in which files get damaged, and an alarm for readers that hang on them."""

import random
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

SECONDS = 30  # a case takes milliseconds; a busy machine may be a thousand times slower


def bits(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def piece(content: bytes, chance: random.Random) -> bytes:
    """A part that is doubled, removed or put elsewhere."""
    begin = chance.randrange(len(content))
    part = content[begin : begin + chance.randint(1, 60)]
    rest = content[:begin] + content[begin + len(part) :]
    place = chance.randrange(len(rest) + 1)
    return chance.choice([content[:begin] + part + content[begin:], rest, rest[:place] + part + rest[place:]])


def field_of(content: bytes, chance: random.Random) -> bytes:
    """A field in place of which stands something huge or odd."""
    odd = [b"9" * 5000, b"1e400", b"-1e38", b"nan", b"inf", b"\x00" * 9, b'"', b'"a,b"', b"0x1F", b"1_000", b"--1", b""]
    odd += [
        "٣".encode(),
        "−5".encode(),
        b"1" + b"0" * 40,
        b"-9223372036854775808",
        b" ",
        b"\xff\xfe",
        b"a" * 70_000,
        b"1e-400",
        b"7,7,7",
        b"99999999999",
    ]
    marks = [0, *(i + 1 for i, letter in enumerate(content) if letter in b",;|\n ")]
    place = chance.randrange(max(len(marks) - 1, 1))
    end = marks[place + 1] - 1 if place + 1 < len(marks) else len(content)
    return content[: marks[place]] + chance.choice(odd) + content[end:]


def encoded(content: bytes, chance: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    return chance.choice(
        [
            text.encode("utf-16"),
            text.encode("utf-8-sig"),
            text.encode("utf-32"),
            text.replace("\n", "\r").encode(),
            text.replace("\n", "\r\n").encode(),
            text.replace("\n", "\n\n").encode(),
            text.replace("1", "１").encode(),
            text.encode("cp037", "replace"),
            b"\x1f\x8b" + content,
            b"",
            b"\n\n \n",
        ]
    )


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def whole_lines(content: bytes, chance: random.Random) -> bytes:
    """A line that is removed, put elsewhere, or put in two places."""
    lines = content.splitlines(keepends=True)
    line = lines.pop(chance.randrange(len(lines)))
    for _ in range(chance.randrange(3)):
        lines.insert(chance.randrange(len(lines) + 1), line)
    return b"".join(lines)


KINDS = {kind.__name__: kind for kind in (bits, piece, field_of, encoded, cut, whole_lines)}


each_kind = pytest.mark.parametrize("kind", KINDS)


def parts(header: str, lines: Iterable[str]) -> tuple[bytes, bytes]:
    """The header line, nothing without one, and the lines below."""
    return (f"{header}\n" if header else "").encode(), "".join(f"{line}\n" for line in lines).encode()


def lines_of(content: bytes) -> list[bytes]:
    """Lines that hold more than separators, whatever ends them."""
    text = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return [line for line in text.split(b"\n") if line.strip(b" \t\v\f,;|")]


def damages(header: bytes, body: bytes, kind: str, seed: str, count: int) -> Iterator[bytes]:
    """Damaged versions of a file, the header hit in a quarter of them, and one in five damaged twice."""
    chance = random.Random(f"{seed} {kind}")
    for _ in range(count):
        kept = header if chance.random() < 0.75 else b""
        damaged = kept + KINDS[kind]((header + body).removeprefix(kept), chance)
        if chance.random() < 0.2:
            damaged = chance.choice(list(KINDS.values()))(damaged + b",\n", chance)
        yield damaged


@contextmanager
def alarm(content: bytes) -> Iterator[None]:
    """A failure that shows the file if reading takes too long, where the system has timers, and in any other failure."""

    def too_long(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"reading took more than {SECONDS} s")  # no Exception, so that no reader can catch it

    has_timer = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGALRM, too_long) if has_timer else None
    try:
        if has_timer:
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
        yield
    except BaseException as error:
        error.add_note(f"the file was {content[:2000]!r}")
        raise
    finally:
        if has_timer:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
