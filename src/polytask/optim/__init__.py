"""Optimizers and schedules: named parameters to an optimizer; a step number to a factor on its learning rate.

>>> from polytask.optim import warmup_cosine
>>> warmup_cosine(0, total_steps=10, warmup=0)
1.0
"""

from polytask.optim._adamw import adamw
from polytask.optim._schedule import warmup_cosine

__all__ = ["adamw", "warmup_cosine"]
