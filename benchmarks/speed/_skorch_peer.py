"""The same network by skorch: run by the Python of the peer's environment, ``--case JSON``."""

import argparse
import json
from functools import partial

import numpy as np
import torch
from _peer_case import CLIP, DROPOUT, LEARNING_RATE, WEIGHT_DECAY, WIDTH, measure, schedule
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNet
from skorch.callbacks import GradientNormClipping, LRScheduler
from torch import nn
from torch.nn import functional as F


class Network(nn.Module):
    """Two hidden layers and one output per task, as polytask's MLP with hard sharing."""

    def __init__(self, columns: int = 1, tasks: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(columns, WIDTH),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(WIDTH, tasks),
        )

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.layers(X)


class MaskedLoss(nn.Module):
    """Mean over tasks of the mean loss of observed labels; even tasks are binary."""

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        seen = ~torch.isnan(target)
        target = torch.nan_to_num(target)
        binary = F.binary_cross_entropy_with_logits(outputs[:, ::2], target[:, ::2], reduction="none")
        squares = (outputs[:, 1::2] - target[:, 1::2]) ** 2
        losses = torch.cat([binary, squares], dim=1)
        seen = torch.cat([seen[:, ::2], seen[:, 1::2]], dim=1).float()
        return ((losses * seen).sum(0) / seen.sum(0).clamp(min=1)).mean()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", required=True, type=json.loads)
    case = parser.parse_args().case
    torch.set_num_threads(1)

    def fit(X: np.ndarray, y: np.ndarray) -> tuple[StandardScaler, NeuralNet]:
        torch.manual_seed(0)
        scaler = StandardScaler().fit(X)
        factor = partial(schedule, total_steps=case["epochs"] * -(-len(X) // case["batch"]))
        net = NeuralNet(
            Network,
            MaskedLoss,
            module__columns=case["columns"],
            module__tasks=case["tasks"],
            optimizer=torch.optim.AdamW,
            optimizer__lr=LEARNING_RATE,
            optimizer__weight_decay=WEIGHT_DECAY,
            max_epochs=case["epochs"],
            batch_size=case["batch"],
            iterator_train__shuffle=True,
            train_split=None,
            callbacks=[GradientNormClipping(CLIP), LRScheduler("LambdaLR", lr_lambda=factor, step_every="batch")],
            verbose=0,
        )
        return scaler, net.fit(scaler.transform(X).astype(np.float32), y.astype(np.float32))

    def predict(model: tuple[StandardScaler, NeuralNet], X: np.ndarray) -> np.ndarray:
        scaler, net = model
        outputs = np.array(net.predict(scaler.transform(X).astype(np.float32)))
        outputs[:, ::2] = 1 / (1 + np.exp(-outputs[:, ::2]))
        return outputs

    found = measure(fit, predict, case)
    parameters = sum(p.numel() for p in Network(case["columns"], case["tasks"]).parameters())
    print(json.dumps(found | {"parameters": parameters}))


if __name__ == "__main__":
    main()
