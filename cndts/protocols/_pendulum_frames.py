"""Pictures of a swinging pendulum, with noise that comes and goes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIDE, N_STEPS, STEP, FRICTION = 24, 100, 0.01, 0.1
_FINE_STEP, _PULL, _KICK = 1e-4, 3 * 9.81, 0.1  # 9.81 * mass * length / inertia of a rod of 1 kg and 1 m
_CANVAS, _ROD, _WIDTH = 128, 55.0, 8.0
_WANDER, _CLEAN = 0.2, 5


def swings(n_records: int, random: np.random.Generator) -> Floats:
    """Angle from hanging down at 100 steps of 0.01 s, shape (n_records, 100), started at rest at a random angle.

    Damped by 0.1/s, kicked by 0.1 rad/s (one standard deviation) at every step. Integrated by semi-implicit Euler steps of
    1e-4 s, as the source does.
    """
    angle = random.uniform(0, 2 * np.pi, n_records)  # from standing up
    velocity = np.zeros(n_records)
    seen = [angle]
    for _ in range(N_STEPS - 1):
        for _ in range(round(STEP / _FINE_STEP)):
            velocity = velocity + _FINE_STEP * (_PULL * np.sin(angle) - FRICTION * velocity)
            angle = angle + _FINE_STEP * velocity
        velocity = velocity + _KICK * random.standard_normal(n_records)
        seen.append(angle)
    return np.stack(seen, axis=1) - np.pi


def frames(angle: Floats) -> Floats:
    """The rod as pictures of 24 x 24 pixels from 0 to 1, shape (..., 576), its share of each pixel as brightness."""
    pixel = _CANVAS / SIDE
    centre = (np.arange(SIDE) + 0.5) * pixel - _CANVAS / 2
    x, y = np.meshgrid(centre, centre)
    along = np.sin(angle)[..., None] * x.ravel() + np.cos(angle)[..., None] * y.ravel()
    aside = np.cos(angle)[..., None] * x.ravel() - np.sin(angle)[..., None] * y.ravel()
    distance = np.hypot(along - np.clip(along, 0, _ROD), aside)
    return np.clip((_WIDTH / 2 - distance) / pixel + 0.5, 0, 1)


def clearness(n_records: int, random: np.random.Generator) -> Floats:
    """Share of the picture in what is seen at each step, shape (n_records, 100); the rest is noise.

    A random walk of up to 0.2 a step between 0 and 1, stretched between two thresholds of each record so that it stays at
    the ends for a while; the first five pictures are clear (Becker et al., ICML 2019, appendix).
    """
    walk = np.empty((n_records, N_STEPS))
    walk[:, 0] = random.random(n_records)
    for step in range(1, N_STEPS):
        walk[:, step] = np.clip(walk[:, step - 1] + random.uniform(-_WANDER, _WANDER, n_records), 0, 1)
    low, high = random.uniform(0, 0.25, (n_records, 1)), random.uniform(0.75, 1, (n_records, 1))
    share = np.clip((walk - low) / (high - low), 0, 1)
    share[:, :_CLEAN] = 1
    return share
