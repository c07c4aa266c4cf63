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
    content = np.frombuffer(text, dtype=np.uint8)
    negative = _first_is(content, begin, end, b"-")
    whole, decimals, plain = _plain_digits(content, begin + negative, end)
    plain &= whole <= _EXACT
    number = np.where(plain, whole / _POWERS[np.where(plain, np.maximum(decimals, 0), 0)], np.nan)
    np.negative(number, out=number, where=negative)
    if not plain.all():
        others = np.flatnonzero(~plain)
        seen: dict[bytes, float] = {}
        for row, i, j in zip(others.tolist(), begin[others].tolist(), end[others].tolist(), strict=True):
            field = text[i:j]
            if field not in seen:
                seen[field] = _number(field)
            number[row] = seen[field]
    return number


def read_integers(
    text: bytes, begin: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Whole numbers of at most 18 digits between the given bounds, also those that float64 cannot hold.

    Parameters
    ----------
    text : bytes
    begin, end : ndarray of shape (n,)

    Returns
    -------
    number : ndarray of shape (n,)
        0 where the field holds anything else.
    readable : ndarray of bool, shape (n,)

    Examples
    --------
    >>> read_integers(b"633790226051280329,-3,1.5", np.array([0, 19, 22]), np.array([18, 21, 25]))
    (array([633790226051280329,                 -3,                  0]), array([ True,  True, False]))
    """
    content = np.frombuffer(text, dtype=np.uint8)
    negative = _first_is(content, begin, end, b"-")
    whole, decimals, plain = _plain_digits(content, begin + negative, end)
    plain &= decimals < 0
    return np.where(plain, np.where(negative, -whole, whole), 0), plain


def _first_is(
    content: NDArray[np.uint8], begin: NDArray[np.int64], end: NDArray[np.int64], character: bytes
) -> NDArray[np.bool_]:
    if not len(content):
        return np.zeros(len(begin), dtype=bool)
    return (begin < end) & (content[np.minimum(begin, len(content) - 1)] == ord(character))


def _plain_digits(
    content: NDArray[np.uint8], begin: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Digits as a whole number, how many are behind the point (-1 without one), and which fields hold nothing else.

    A plain field has at most 18 digits.
    """
    length = end - begin
    plain = (length > 0) & (length <= _DIGITS + 1)
    longest = int(length[plain].max(initial=0))
    whole = np.zeros(len(begin), dtype=np.int64)
    decimals = np.full(len(begin), -1, dtype=np.int64)
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
    plain &= (n_digits > 0) & (n_digits <= _DIGITS)
    return whole, decimals, plain


def _number(field: bytes) -> float:
    field = field.strip(b" \t\"'")
    if len(field) > 400 or not _NUMBER.fullmatch(field):
        return math.nan
    number = float(field)
    return number if math.isfinite(number) else math.nan
