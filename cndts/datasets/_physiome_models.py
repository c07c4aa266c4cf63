"""The models of Physiome-ODE that are known here, by the names of their sets."""

from cndts.datasets._physiome_calcium import CALCIUM
from cndts.datasets._physiome_cell_cycle import CELL_CYCLE
from cndts.datasets._physiome_heart import HEART
from cndts.datasets._physiome_hormones import HORMONES
from cndts.datasets._physiome_neurons import NEURONS
from cndts.datasets._physiome_sleep import SLEEP
from cndts.datasets._physiome_yeast import YEAST

PHYSIOME_MODELS = CALCIUM | CELL_CYCLE | HEART | HORMONES | NEURONS | SLEEP | YEAST
