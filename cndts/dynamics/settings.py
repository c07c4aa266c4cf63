"""Settings of the ODE solver."""

from cndts._parameters import NamedParameters


class Solver(NamedParameters):
    """How the state is carried from the last event to the query times.

    Parameters
    ----------
    method : str, default="midpoint"
        ``"euler"``, ``"midpoint"``, ``"rk4"``: our batched fixed-step methods. ``"dopri5"``, ``"dopri8"``, ``"bosh3"``,
        ``"fehlberg2"``, ``"adaptive_heun"``: torchdiffeq with error control, one solve per query. ``"linear"``: a linear ODE,
        solved exactly without steps. ``"direct"``: no ODE, a decoder of state and horizon (for ablations).
    steps : int, default=3
        Fixed steps from 0 to the longest training horizon; they grow with the horizon. Longer horizons at predict
        add steps, at most 8 times as many, so that a forecast does not depend on what else is asked; beyond 250
        training horizons the state is held.
    dense : bool, default=True
        Fixed steps only: one solve per record and channel, read at its queries from the dense output. False solves once per
        query, with ``steps`` steps over the query's own horizon: finer for near queries, and dearer.
    field : {"gated", "time", "hyper"}, default="gated"
        Vector field of the ODE: `GatedField`, `ConcatSquashField` (layers gated by time) or `HyperField` (weights that vary
        with time).
    augment : int, default=0
        Zeros appended to the state for the solve and dropped after it (Dupont, Doucet and Teh, *Augmented Neural ODEs*,
        NeurIPS 2019), so that trajectories need not cross.
    rtol, atol : float, default=1e-4 and 1e-5
        Tolerances of the adaptive methods.
    adjoint : bool, default=False
        Gradients by the adjoint equation (adaptive methods only).
    max_evaluations : int, default=10000
        Calls of the field after which an adaptive solve counts as failed.
    kinetic, jacobian : float, default=0.0
        Weights in the training loss of the kinetic energy and of the squared Frobenius norm of the Jacobian, integrated along
        the solution; see `PenalisedField`.
    fallback : bool, default=False
        What follows when a solve fails: ``False`` raises a `SolverError` that names the rows. ``True`` warns
        (`SolverWarning`) and repeats a failed adaptive solve by ``"rk4"`` with ``steps`` steps; when predicting, a state
        that is still not finite is replaced by the state at the last event.

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
        dense: bool = True,
        field: str = "gated",
        augment: int = 0,
        rtol: float = 1e-4,
        atol: float = 1e-5,
        adjoint: bool = False,
        max_evaluations: int = 10_000,
        kinetic: float = 0.0,
        jacobian: float = 0.0,
        fallback: bool = False,
    ) -> None:
        self.method = method
        self.steps = steps
        self.dense = dense
        self.field = field
        self.augment = augment
        self.rtol = rtol
        self.atol = atol
        self.adjoint = adjoint
        self.max_evaluations = max_evaluations
        self.kinetic = kinetic
        self.jacobian = jacobian
        self.fallback = fallback
