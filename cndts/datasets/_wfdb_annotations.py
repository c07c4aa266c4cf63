"""Annotation files of WFDB records, in the format of the MIT databases."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_NOTE, _SKIP, _AUX, _LAST_CODE = 22, 59, 63, 58
_RATE = re.compile(rb"## time resolution: (\d+\.?\d*)")


def read_annotations(content: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64], float | None]:
    r"""Sample numbers and codes of the annotations, and the samples per second if the file says so.

    The package wfdb reads these files too, but runs for ever on some that are damaged, and takes one that is cut short
    for whole.

    Parameters
    ----------
    content : bytes
        Words of 16 bits: six for the code, ten for the samples since the annotation before. Code 59 puts a longer step
        into the next two words, 60 to 62 describe the annotation before, 63 is followed by text, and a word of zero
        ends the file. Notes at sample 0 describe the file and are no annotations.

    Raises
    ------
    ValueError
        The end is missing, or anything follows it.

    References
    ----------
    G. B. Moody. "WFDB Applications Guide: annot(5)." https://physionet.org/physiotools/wag/annot-5.htm.

    Examples
    --------
    >>> read_annotations(b"\x01\x04\x02\x14\x00\x00")
    (array([1, 3]), array([1, 5]), None)
    """
    words = np.frombuffer(content[: len(content) // 2 * 2], dtype="<u2").tolist()
    samples: list[int] = []
    codes: list[int] = []
    rate = None
    sample = place = 0
    while place < len(words) and words[place]:
        code, step = words[place] >> 10, words[place] & 1023
        place += 1
        if code == _SKIP:
            high, low = words[place : place + 2] if place + 2 <= len(words) else (0, 0)
            sample += ((high << 16 | low) ^ 1 << 31) - (1 << 31)  # two's complement
            place += 2
        elif code == _AUX:
            length = step & 255
            found = _RATE.match(content, 2 * place, 2 * place + length)
            rate = float(found[1]) if found and not samples else rate
            place += (length + 1) // 2
        elif code <= _LAST_CODE:
            sample += step
            if code and not (code == _NOTE and sample == 0):
                samples.append(sample)
                codes.append(code)
    if place >= len(words):
        raise ValueError("the mark at the end of the annotations is missing")
    if content[2 * place :].strip(b"\0"):
        raise ValueError("something follows the mark at the end of the annotations")
    if rate is not None and not 0 < rate < np.inf:
        raise ValueError(f"the annotations have {rate} samples a second")
    return np.array(samples, dtype=np.int64), np.array(codes, dtype=np.int64), rate
