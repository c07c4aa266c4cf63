"""A difference between two models and how sure it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BootstrapDifference:
    """Difference between two models with its bootstrap interval over records.

    Parameters
    ----------
    difference : float
        Score of the first model minus score of the second, on the records as they are.
    low, high : float
        Ends of the 95 % percentile interval.
    share : float
        Share of the resamples in which the first model is better: lower error or higher skill.

    Examples
    --------
    >>> BootstrapDifference(difference=-0.2, low=-0.3, high=-0.1, share=1.0).excludes_zero
    True
    """

    difference: float
    low: float
    high: float
    share: float

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.low > 0 or self.high < 0
