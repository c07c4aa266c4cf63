"""Settings of the hybrid memory."""

from sklearn.base import BaseEstimator


class Memory(BaseEstimator):
    """Sizes of the memories of a hybrid-memory model.

    Parameters
    ----------
    window : int, default=6
        Events per channel that the working memory keeps exactly.
    timescales : int, default=6
        Accumulators per channel in the compressed memory.
    contents : int, default=16
        Learned contents that each accumulator sums, beside the value itself.
    shortest, longest : float, default=0.01 and 4.0
        Range of the accumulators' initial time scales, as multiples of the longest training horizon.

    Examples
    --------
    >>> Memory(window=12).get_params()["window"]
    12
    """

    def __init__(
        self,
        *,
        window: int = 6,
        timescales: int = 6,
        contents: int = 16,
        shortest: float = 0.01,
        longest: float = 4.0,
    ) -> None:
        self.window = window
        self.timescales = timescales
        self.contents = contents
        self.shortest = shortest
        self.longest = longest
