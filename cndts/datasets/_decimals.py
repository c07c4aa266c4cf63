"""Reading many decimal numbers from text at once, to the last bit."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?")
# a whole number up to 2^53 and a power of ten up to 10^22 are exact in float64, so that their quotient is the
# float64 nearest to the decimal
_EXACT = 2**53
_DIGITS = 18  # int64 holds them all
_POWERS = 10.0 ** np.arange(_DIGITS + 1)


def read_decimals(text: bytes, begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.float64]:
    """Numbers between the given bounds.

    Parameters
    ----------
    text : bytes
    begin, end : ndarray of shape (n,)
        Bounds of the fields, rising, within the text.

    Returns
    -------
    ndarray of shape (n,)
        Equal to ``float`` of each field, blanks and quotes around it removed; NaN where it is no finite number.

    Examples
    --------
    >>> read_decimals(b"1.38676, -2e-3 ,86399999.125,x", np.array([0, 8, 16, 29]), np.array([7, 15, 28, 30])).tolist()
    [1.38676, -0.002, 86399999.125, nan]
    """
    number, plain = _plain_decimals(np.frombuffer(text, dtype=np.uint8), begin, end)
    if not plain.all():
        others = np.flatnonzero(~plain)
        seen: dict[bytes, float] = {}
        for row, i, j in zip(others.tolist(), begin[others].tolist(), end[others].tolist(), strict=True):
            field = text[i:j]
            if field not in seen:
                seen[field] = _number(field)
            number[row] = seen[field]
    return number


def _plain_decimals(
    content: NDArray[np.uint8], begin: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of at most 18 digits, exact in float64, with at most one point and nothing else, and which fields are such."""
    length = end - begin
    plain = (length > 0) & (length <= _DIGITS + 1)
    longest = int(length[plain].max(initial=0))
    whole = np.zeros(len(begin), dtype=np.int64)
    decimals = np.full(len(begin), -1, dtype=np.int64)  # digits behind the point, -1 before it
    n_digits = np.zeros(len(begin), dtype=np.int64)
    for position in range(longest):
        inside = position < length
        character = content[np.minimum(begin + position, len(content) - 1)]
        digit = character - np.uint8(48)
        is_digit = inside & (digit < 10)
        is_point = inside & (character == ord("."))
        plain &= is_digit | ~inside | is_point & (decimals < 0)
        np.multiply(whole, 10, out=whole, where=is_digit)
        np.add(whole, digit, out=whole, where=is_digit)
        decimals += is_digit & (decimals >= 0) | is_point
        n_digits += is_digit
    plain &= (n_digits > 0) & (n_digits <= _DIGITS) & (whole <= _EXACT)
    scale = _POWERS[np.where(plain, np.maximum(decimals, 0), 0)]
    return np.where(plain, whole / scale, np.nan), plain


def _number(field: bytes) -> float:
    field = field.strip(b" \t\"'")
    if len(field) > 400 or not _NUMBER.fullmatch(field):
        return math.nan
    number = float(field)
    return number if math.isfinite(number) else math.nan
