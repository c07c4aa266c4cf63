"""Looking into a fitted hybrid-memory model: what it remembers, what a forecast read, what its ODE does."""

from cndts.inspect._episodic_events import episodic_events
from cndts.inspect._gate_trace import gate_trace, read_gates
from cndts.inspect._half_lives import half_lives
from cndts.inspect._plot_gates import plot_gates
from cndts.inspect._plot_reads import plot_reads
from cndts.inspect._reads import episodic_reads, working_reads
from cndts.inspect._solver_cost import solver_cost
from cndts.inspect._spectra import jacobian_spectrum, lyapunov_exponents
from cndts.inspect._tangent import field_jacobian, finite_time_exponents

__all__ = [
    "episodic_events",
    "episodic_reads",
    "field_jacobian",
    "finite_time_exponents",
    "gate_trace",
    "half_lives",
    "jacobian_spectrum",
    "lyapunov_exponents",
    "plot_gates",
    "plot_reads",
    "read_gates",
    "solver_cost",
    "working_reads",
]
