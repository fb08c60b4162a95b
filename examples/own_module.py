"""Your own encoder in the network: any torch module becomes a recipe in one call."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

import polytask
from polytask import MultiTaskNetwork
from polytask.estimators import save_estimator
from polytask.networks import TableShape, recipe_of


class Fourier(nn.Module):
    """Numbers as waves of several lengths (Tancik et al. 2020), then one layer."""

    def __init__(self, shape: TableShape, *, n_waves: int, width: int) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(shape.n_numeric, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(shape.n_numeric, dtype=torch.float64))
        self.register_buffer("frequencies", 2.0 ** torch.arange(n_waves))
        self.layer = nn.Linear(2 * shape.n_numeric * n_waves, width)
        self.out_features = width  # what sharing and heads must know

    def fit_statistics(self, numeric: torch.Tensor) -> None:
        """Called once with the training rows, NaN for missing; optional."""
        self.center.copy_(numeric.nanmean(0))
        self.scale.copy_((numeric - self.center).square().nanmean(0).sqrt())

    def prepare(self, numeric: torch.Tensor, categorical: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """All that needs no gradient, done once per row; this table has no categories."""
        scaled = ((numeric - self.center) / self.scale).nan_to_num(0.0).float()
        angles = (scaled[..., None] * self.frequencies).flatten(1)
        return (torch.cat([angles.sin(), angles.cos()], dim=1),)

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.layer(waves))


rng = np.random.default_rng(0)
X = rng.uniform(-2, 2, size=(400, 2))
y = np.stack([np.sin(4 * X[:, 0]), np.sin(4 * X[:, 0]) + X[:, 1] > 0], axis=1)
y[::3, 0] = np.nan  # a missing label costs only itself

own = MultiTaskNetwork(encoder=recipe_of(Fourier, n_waves=3, width=64), max_epochs=40, random_state=0)
print(f"skill with the encoder of one's own: {own.fit(X[:300], y[:300]).score(X[300:], y[300:]):.2f}")

with tempfile.TemporaryDirectory() as folder:
    save_estimator(own, Path(folder) / "model")
    loaded = polytask.load(Path(folder) / "model", classes=[Fourier])  # code never comes from the folder
    print(f"loaded, it predicts the same: {np.array_equal(loaded.predict(X), own.predict(X))}")
