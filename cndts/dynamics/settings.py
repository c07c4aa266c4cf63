"""Settings of the ODE solver."""

from sklearn.base import BaseEstimator


class Solver(BaseEstimator):
    """How the state is carried from the last event to the query times.

    Parameters
    ----------
    method : str, default="midpoint"
        ``"euler"``, ``"midpoint"``, ``"rk4"``: our batched fixed-step methods, one solve per record and channel with
        dense output. ``"dopri5"``, ``"dopri8"``, ``"bosh3"``, ``"fehlberg2"``, ``"adaptive_heun"``:
        torchdiffeq with error control, one solve per query. ``"direct"``: no ODE, a decoder of state and horizon
        (for ablations).
    steps : int, default=3
        Fixed steps from 0 to the longest training horizon; they grow with the horizon. Longer horizons at predict
        add steps, so that a forecast does not depend on what else is asked.
    rtol, atol : float, default=1e-4 and 1e-5
        Tolerances of the adaptive methods.
    adjoint : bool, default=False
        Gradients by the adjoint equation (adaptive methods only).

    Examples
    --------
    >>> Solver(method="rk4", steps=5).get_params()["steps"]
    5
    """

    def __init__(
        self,
        method: str = "midpoint",
        *,
        steps: int = 3,
        rtol: float = 1e-4,
        atol: float = 1e-5,
        adjoint: bool = False,
    ) -> None:
        self.method = method
        self.steps = steps
        self.rtol = rtol
        self.atol = atol
        self.adjoint = adjoint
