"""Derivatives of a vector field along its solutions."""

import torch
from torch import Tensor

from cndts.dynamics import VectorField, solve_to_end


def field_jacobian(field: VectorField, t: Tensor, z: Tensor) -> Tensor:
    r"""Jacobian :math:`\partial f / \partial z` of a field at every row.

    Parameters
    ----------
    field : callable
        ``field(t, z)`` whose rows never mix.
    t : Tensor of shape (n_rows, 1)
        Times.
    z : Tensor of shape (n_rows, n_state)
        States.

    Returns
    -------
    Tensor of shape (n_rows, n_state, n_state)
        Entry (i, j) is the derivative of slope i by state j.

    Examples
    --------
    >>> field_jacobian(lambda t, z: t * z**2, torch.full((1, 1), 3.0), torch.tensor([[1.0, 2.0]]))
    tensor([[[ 6.,  0.],
             [ 0., 12.]]])
    """
    # Rows never mix, so the derivative of the sum over rows is the derivative of each row.
    return torch.func.jacrev(lambda state: field(t, state).sum(0))(z).transpose(0, 1)


def finite_time_exponents(field: VectorField, z0: Tensor, duration: Tensor, *, steps: int = 64) -> Tensor:
    r"""Finite-time Lyapunov exponents of the solutions that start at given states.

    Small displacements of the start obey :math:`\dot\Phi = \nabla_z f(t, z(t))\,\Phi` with :math:`\Phi(0) = I`. With singular values
    :math:`\sigma_k` of :math:`\Phi(T)` the exponents are

    .. math:: \mu_k = \frac{1}{T} \ln \sigma_k,

    in which the largest is the finite-time Lyapunov exponent of Shadden, Lekien and Marsden, *Definition and Properties of Lagrangian
    Coherent Structures from Finite-Time Lyapunov Exponents in Two-Dimensional Aperiodic Flows*, Physica D 212, 2005. They are
    the rates at which the best chosen displacements grow (positive) or shrink (negative) over the duration T. State and
    displacements are solved together by the classical Runge-Kutta method.

    Parameters
    ----------
    field : callable
        ``field(t, z)`` with t of shape (n_rows, 1) and z of shape (n_rows, n_state); rows never mix.
    z0 : Tensor of shape (n_rows, n_state)
        States at time 0; double precision keeps strongly contracting directions apart from rounding.
    duration : Tensor of shape (n_rows,)
        Positive durations.
    steps : int, default=64
        Steps from 0 to the duration.

    Returns
    -------
    Tensor of shape (n_rows, n_state)
        The largest exponent first, per unit of time.

    Raises
    ------
    ValueError
        If a duration is not positive, or steps are fewer than 1.

    Examples
    --------
    A saddle stretches at rate 1 and contracts at rate 2:

    >>> saddle = lambda t, z: z * torch.tensor([1.0, -2.0], dtype=z.dtype)
    >>> exponents = finite_time_exponents(saddle, torch.ones(1, 2, dtype=torch.double), torch.tensor([0.5]))
    >>> [round(exponent, 6) for exponent in exponents[0].tolist()]
    [1.0, -2.0]
    """
    if steps < 1 or not (duration > 0).all():
        raise ValueError(
            f"durations must be positive and steps 1 or more; got a shortest duration of {float(duration.min()):g} "
            f"and steps={steps!r}."
        )
    n_rows, n_state = z0.shape

    def with_displacements(t: Tensor, both: Tensor) -> Tensor:
        z, moved = both[:, :n_state], both[:, n_state:].unflatten(1, (n_state, n_state))
        return torch.cat([field(t, z), (field_jacobian(field, t, z) @ moved).flatten(1)], dim=1)

    start = torch.eye(n_state, dtype=z0.dtype, device=z0.device).flatten().expand(n_rows, -1)
    knots = duration[:, None].to(z0) * torch.linspace(0, 1, steps + 1, dtype=z0.dtype, device=z0.device)
    ends, _ = solve_to_end(with_displacements, torch.cat([z0, start], dim=1), knots, "rk4")
    growth = torch.linalg.svdvals(ends[:, n_state:].unflatten(1, (n_state, n_state)))
    return growth.clamp(min=torch.finfo(growth.dtype).tiny).log() / duration[:, None].to(z0)
