"""The pieces by themselves: tasks, losses and balancing in a PyTorch loop of your own."""

import numpy as np
import pandas as pd
import torch
from torch import nn

from polytask.balancing import Equal, backward
from polytask.networks import output_slices, target_slices
from polytask.tasks import Binary, Count, Regression
from polytask.training import TaskLosses, mean_losses

rng = np.random.default_rng(0)
X = rng.normal(size=(600, 5))
y = pd.DataFrame({"price": X[:, 0] - X[:, 1], "sold": X[:, 0] > 0, "visits": rng.poisson(np.exp(X[:, 1]))})
y = y.astype(float).mask(rng.random(y.shape) < 0.3)  # a third of the labels is missing
train, new = np.arange(500), np.arange(500, 600)

# Tasks turn labels into numbers: target and weight [n, targets], NaN and 0 where a label is missing.
tasks = [task.fit(y) for task in (Regression("price"), Binary("sold"), Count("visits"))]
columns = target_slices(tasks)
target = np.concatenate([task.encode(y) for task in tasks], axis=1)
weight = (~np.isnan(target)).astype(float)
tasks = [t.with_statistics(target[train, c], weight[train, c]) for t, c in zip(tasks, columns, strict=True)]
scaled = np.concatenate([t.training_target(target[:, c]) for t, c in zip(tasks, columns, strict=True)], axis=1)

# From here on it is plain PyTorch.
torch.manual_seed(0)
inputs, labels, weights = (torch.as_tensor(array, dtype=torch.float32) for array in (X, np.nan_to_num(scaled), weight))
model = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Linear(64, sum(task.n_outputs for task in tasks)))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
losses_of, method = TaskLosses(tasks), Equal()

for _epoch in range(15):
    for rows in torch.randperm(len(train)).split(50):
        sums, label_weight = losses_of(model(inputs[rows]), labels[rows], weights[rows])
        losses = mean_losses(sums, label_weight)  # [3], over the observed labels
        optimizer.zero_grad()
        backward(losses, method, label_weight=label_weight)  # where losses.sum().backward() stood
        optimizer.step()

with torch.no_grad():
    raw = model(inputs[new])
for task, own, c in zip(tasks, output_slices(tasks), columns, strict=True):
    outputs = task.link(raw[:, own]).numpy()  # means and probabilities in natural scale
    error, constant = (np.nanmean(task.row_losses(o, target[new, c])) for o in (outputs, task.constant_outputs(len(new))))
    print(f"{task.name:7} skill {1 - error / constant:.2f}")
