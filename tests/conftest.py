"""One thread, fixed seeds and no window in every test."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime
os.environ.setdefault("MPLBACKEND", "Agg")

import random

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)

# the same examples every time, however busy the machine is; nothing is kept on disk
slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]
settings.register_profile("polytask", max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=slow)
settings.load_profile("polytask")


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    """Start every test from the same state of the global generators, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the legacy generator is the one that libraries share
    torch.manual_seed(0)


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator of the test's own."""
    return np.random.default_rng(0)
