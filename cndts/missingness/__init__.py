"""Ways in which observations get lost or spoilt: seeded functions from a panel to a panel, which can tell what they did."""

from cndts.missingness._at_random import drop_at_random
from cndts.missingness._bursts import drop_bursts
from cndts.missingness._censoring import censor_values
from cndts.missingness._clock_drift import drift_clocks
from cndts.missingness._clock_error import ClockError
from cndts.missingness._dead_sensors import drop_dead_sensors
from cndts.missingness._informative import drop_informative

__all__ = [
    "ClockError",
    "censor_values",
    "drift_clocks",
    "drop_at_random",
    "drop_bursts",
    "drop_dead_sensors",
    "drop_informative",
]
