"""What a training run reads: prepared inputs, targets and label weights as tensors, and who may see which rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class TrainingData:
    """Tensors of one network, or of several networks (replicas) that are trained at once.

    One network: no leading axes, ``fold`` and ``mask`` are None, one entry in ``train_rows`` and ``validation_rows``.
    R replicas: replica r reads preparation ``fold[r]`` of F, its own rows, and only the labels in ``mask[r]``.

    Parameters
    ----------
    inputs : tuple of Tensor of shape (n, ...) or (F, n, ...)
        Prepared inputs.
    target : Tensor of shape (n, C) or (F, n, C)
        Training targets of all tasks side by side; anything finite where the weight is 0.
    weight : Tensor of shape (n, C)
        Label weights; 0 = missing.
    train_rows, validation_rows : list of LongTensor
        Row numbers per replica. No validation rows: no early stopping.
    scale, validation_scale : Tensor of shape (T,) or (R, T)
        Loss of the constant predictor per task, on the training and on the validation rows.
    fold : LongTensor of shape (R,), optional
    mask : Tensor of shape (R, C), optional
    strata : list of LongTensor, optional
        A number for each of ``train_rows``; rows of one number are dealt evenly to the batches of an epoch. See
        :func:`class_strata`.
    """

    inputs: tuple[Tensor, ...]
    target: Tensor
    weight: Tensor
    train_rows: list[Tensor]
    validation_rows: list[Tensor]
    scale: Tensor
    validation_scale: Tensor
    fold: Tensor | None = None
    mask: Tensor | None = None
    strata: list[Tensor] | None = None

    @property
    def n_train(self) -> int:
        """Rows of the longest training part."""
        return max(len(rows) for rows in self.train_rows)

    def batch(self, rows: Tensor) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
        """Inputs, target [..., B, C] and weight [..., B, C] of row numbers [B] or [R, B]; -1 is padding, of weight 0."""
        if self.fold is None:
            return tuple(x[rows] for x in self.inputs), self.target[rows], self.weight[rows]
        assert self.mask is not None
        some = rows.clamp(min=0)
        fold = self.fold[:, None]
        weight = self.weight[some] * self.mask[:, None, :] * (rows >= 0)[..., None]
        return tuple(x[fold, some] for x in self.inputs), self.target[fold, some], weight

    @cached_property
    def has_label(self) -> Tensor:
        """Which rows have a label to learn from, bool [n], or [R, n] per replica."""
        seen = self.weight > 0
        return seen.any(-1) if self.mask is None else (self.mask > 0).float() @ seen.T.float() > 0

    def labelled(self, rows: Tensor) -> Tensor:
        """Those of the row numbers [B] or [R, B] that have a label to learn from, where these are at most half; -1 is padding.

        A row without a label adds nothing to any loss. So a single-task twin of one school in a hundred costs a hundredth.
        """
        if self.mask is not None and rows.dim() == 1:  # of the one replica that is still in training
            rows = rows[None]
        if self.mask is None:
            has_label = self.has_label[rows]
        else:
            has_label = self.has_label.gather(-1, rows.clamp(min=0)) & (rows >= 0)
        width = max(1, int(has_label.sum(-1).max()))
        if 2 * width > rows.shape[-1]:
            return rows
        if self.mask is None:
            return rows[has_label] if bool(has_label.any()) else rows[:1]
        first = torch.argsort(~has_label, dim=-1, stable=True)[:, :width]
        return torch.where(has_label.gather(-1, first), rows.gather(-1, first), -1)

    def keep(self, kept: Tensor) -> "TrainingData":
        """Only the replicas whose numbers are in ``kept``."""
        assert self.fold is not None
        assert self.mask is not None
        return TrainingData(
            inputs=self.inputs,
            target=self.target,
            weight=self.weight,
            train_rows=[self.train_rows[k] for k in kept.tolist()],
            validation_rows=[self.validation_rows[k] for k in kept.tolist()],
            scale=self.scale[kept],
            validation_scale=self.validation_scale[kept],
            fold=self.fold[kept],
            mask=self.mask[kept],
            strata=None if self.strata is None else [self.strata[k] for k in kept.tolist()],
        )


def class_strata(data: TrainingData, n_codes: Sequence[int]) -> list[Tensor]:
    """For each network a number for each of its training rows: which is the rarest class that the row has, the rarest being 0.

    Parameters
    ----------
    data : TrainingData
    n_codes : sequence of int
        Of each of the C target columns: how many classes it has as codes; 0 for a number, which says nothing here.

    Examples
    --------
    >>> target = torch.tensor([[0.0], [0.0], [1.0], [0.0]])
    >>> scale = torch.ones(1)
    >>> data = TrainingData((), target, torch.ones(4, 1), [torch.arange(4)], [torch.arange(0)], scale, scale)
    >>> class_strata(data, [2])
    [tensor([1, 1, 0, 1])]
    """
    found = []
    for r, rows in enumerate(data.train_rows):
        target = data.target[rows] if data.fold is None else data.target[data.fold[r], rows]
        weight = data.weight[rows] if data.mask is None else data.weight[rows] * data.mask[r]
        rarest, n_before = torch.full((len(rows),), torch.inf, dtype=torch.float64, device=rows.device), 0
        for column in [c for c, n in enumerate(n_codes) if n]:
            seen, codes = weight[:, column] > 0, target[:, column].long()
            counts = torch.bincount(codes[seen], minlength=n_codes[column]).double()
            order = torch.arange(n_before, n_before + len(counts), dtype=torch.float64, device=rows.device)
            keys = counts + order / sum(n_codes) / 2  # classes of one size stay apart
            rarest[seen] = torch.minimum(rarest[seen], keys[codes[seen]])
            n_before += len(counts)
        found.append(torch.unique(rarest, return_inverse=True)[1])
    return found


def seed_of(*parts: int) -> int:
    """One 62-bit seed from several numbers in [0, 2**64), such as a seed and an epoch.

    >>> seed_of(0, 1) == seed_of(0, 1), seed_of(0, 1) == seed_of(1, 0)
    (True, False)
    """
    words = [len(parts), *(word for part in parts for word in divmod(part, 2**32))]  # as they are, (1,) and (1, 0) would be one
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> np.uint64(2))


def n_batches(n_rows: int, batch_size: int) -> int:
    """Steps per epoch."""
    return -(-n_rows // batch_size)


def epoch_batches(
    rows: Sequence[Tensor], *, batch_size: int, seeds: Sequence[int], epoch: int, strata: Sequence[Tensor] | None = None
) -> Iterator[Tensor]:
    """Row numbers [B] (one network) or [R, B] (replicas) of each step of one epoch, drawn anew from seed and epoch.

    Every replica makes the same number of steps, and every row is presented once; where a replica has fewer rows, the rest is -1.
    The batches of an epoch differ in size by one row at most, and are those that the replica would have alone. With ``strata``
    they differ by one row at most in the rows of each number as well.

    >>> [b.tolist() for b in epoch_batches([torch.arange(5)], batch_size=3, seeds=[0], epoch=0)]
    [[2, 0, 4], [1, 3]]
    >>> dealt = epoch_batches([torch.arange(6)], batch_size=3, seeds=[0], epoch=0, strata=[torch.tensor([1, 1, 1, 1, 0, 0])])
    >>> [int((rows >= 4).sum()) for rows in dealt]
    [1, 1]
    """
    longest = max(len(r) for r in rows)
    steps = n_batches(longest, batch_size)
    orders, turns = [], []
    for r, (own, seed) in enumerate(zip(rows, seeds, strict=True)):
        generator = torch.Generator().manual_seed(seed_of(seed, epoch))
        order = torch.randperm(len(own), generator=generator).to(own.device)
        if strata is not None:  # the next rows in turn go to the next batches, so rows of one number are to be neighbours
            order = order[strata[r][order].argsort(stable=True)]
            turns.append(torch.randperm(steps, generator=generator))  # else the first batches would have the rarest
        orders.append(own[order])
    if len(rows) == 1:
        yield from (orders[0][step::steps] for step in (turns[0].tolist() if turns else range(steps)))
        return
    width = steps * -(-longest // steps)
    padded = torch.stack([torch.nn.functional.pad(order, (0, width - len(order)), value=-1) for order in orders])
    if turns:
        moved = [own.view(-1, steps)[:, turn].flatten() for own, turn in zip(padded, turns, strict=True)]
        padded = torch.stack(moved)
    yield from (padded[:, step::steps] for step in range(steps))


def padded_chunks(rows: Sequence[Tensor], *, size: int) -> Iterator[Tensor]:
    """Row numbers in order, in chunks [size] or [R, size]; shorter replicas end with -1."""
    if len(rows) == 1:
        yield from rows[0].split(size)
        return
    width = max(len(r) for r in rows)
    yield from torch.stack([torch.nn.functional.pad(r, (0, width - len(r)), value=-1) for r in rows]).split(size, dim=1)
