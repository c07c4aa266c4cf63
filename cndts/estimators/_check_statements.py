"""How a check states what must hold."""

from typing import Any, Self

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from cndts.estimators._check_lesson import Answers

# Networks compute in float32, and other batches add up in another order.
RTOL, ATOL = 1e-4, 1e-4


class Refuses:
    """Expect an error whose text names something; ``error`` is what was raised."""

    def __init__(self, kind: type[Exception], text: str) -> None:
        self.kind, self.text = kind, text
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None:
            raise AssertionError(f"no {self.kind.__name__} was raised")
        self.error = error
        if isinstance(error, self.kind):
            must(self.text in str(error), f"the error does not tell {self.text!r}: {error}")
        return isinstance(error, self.kind)


def must(holds: bool, broken: str) -> None:
    """Raise AssertionError with a text where something does not hold."""
    if not holds:
        raise AssertionError(broken)


def pick(answers: Answers, records: Any) -> Answers:
    """The answers to some of the records."""
    return {method: [rows[i] for i in records] for method, rows in answers.items()}


def same(found: Answers, wanted: Answers, when: str) -> None:
    """Both hold the same answers, numbers up to rounding."""
    must(found.keys() == wanted.keys(), f"{when}: {list(found)} instead of {list(wanted)}")
    for method, rows in wanted.items():
        for i, (one, other) in enumerate(zip(found[method], rows, strict=True)):
            told = f"{method} of record {i}, {when}"
            if np.issubdtype(np.asarray(other).dtype, np.number):
                assert_allclose(one, other, rtol=RTOL, atol=ATOL, err_msg=told)
            else:
                assert_array_equal(one, other, err_msg=told)


def differ(found: Answers, other: Answers) -> bool:
    """Whether anything in the answers is another number or class, by however little."""
    return any(
        not np.array_equal(one, two, equal_nan=np.issubdtype(np.asarray(two).dtype, np.number))
        for method, rows in other.items()
        for one, two in zip(found[method], rows, strict=True)
    )
