"""Voting: hard (classes), soft (probabilities) or by rank."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from polytask.data import TableArrays
from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._ensemble import Ensemble, bag_each, fit_each, named_estimators, shares_of
from polytask.estimators._fold_models import MadeOfModels, MixtureModel
from polytask.estimators._inner_folds import inner_folds
from polytask.exceptions import OptionError

Array = np.ndarray[Any, np.dtype[Any]]

N_QUANTILES = 1_001  # of the outputs that a rank is told by


class VotingEstimator(Ensemble):
    """Let estimators of any kind vote.

    Parameters
    ----------
    estimators : dict of name to estimator
        As in :class:`AveragingEstimator`.
    tasks : sequence of Task or str, optional
    voting : {"soft", "hard", "rank"}, default="soft"
        ``"soft"``: the mean of probabilities, and of numbers. ``"hard"``: every estimator has a vote for its likeliest class, for
        or against each tag; the outputs are shares of votes, with one vote more that is divided equally between the classes, so
        that no class is ruled out (``(n * share + 1 / n_classes) / (n + 1)``); of numbers they are medians. ``"rank"``: the mean
        of ranks among outputs for rows not learned from (inner folds), put back on the mean scale of the estimators: what one of
        them gives in too narrow or too wide a range counts like the others; the order of rows is what is averaged.
    weights : dict of name to float, optional
        Votes of each; one by default.
    folds : int or splitter, default=5
        Inner folds of ``"rank"``, whose ranks must come from rows that no model has seen; the others need none.
    random_state : int, RandomState or None

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> three = {"line": LogisticRegression(), "bayes": GaussianNB(), "tree": DecisionTreeClassifier(random_state=0)}
    >>> model = VotingEstimator(three, voting="hard").fit(X, np.where(X[:, 0] > 0, "yes", "no"))
    >>> set(model.outputs(X)["y0"][:, 1].tolist()) <= {0.125, 0.375, 0.625, 0.875}  # 0 to 3 votes, and half of one more
    True
    """

    def __init__(
        self,
        estimators: Any,
        tasks: Any = None,
        *,
        voting: str = "soft",
        weights: Any = None,
        folds: Any = 5,
        random_state: Any = None,
    ) -> None:
        self.estimators = estimators
        self.tasks = tasks
        self.voting = voting
        self.weights = weights
        self.folds = folds
        self.random_state = random_state

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        if self.voting not in ("soft", "hard", "rank"):
            raise OptionError(f"`voting` of VotingEstimator must be 'soft', 'hard' or 'rank'; got {self.voting!r}.")
        estimators = named_estimators(self.estimators, data, owner="VotingEstimator")
        shares = shares_of(self.weights, estimators, owner="VotingEstimator")
        voters = {name: own for (name, own), share in zip(estimators.items(), shares, strict=True) if share > 0}
        named_estimators(voters, data, owner="VotingEstimator")
        votes = [share for share in shares if share > 0]
        models = fit_each(voters, data, rows, seed=seed)
        if self.voting == "soft":
            return MixtureModel(models, {task.name: votes for task in data.labels.tasks}), {}
        tags = [task.name for task in data.labels.tasks if 0 < len(task.labels) == task.n_targets]
        if self.voting == "hard":
            return HardVotes(models, votes, tags), {}
        splits = inner_folds(data, rows, self.folds, seed=seed)
        bags = bag_each(voters, data, splits, seed=seed)
        references = {
            f"{k}/{name}": reference_quantiles(values)
            for k, own in enumerate(bags.values())
            for name, values in own.held_out.items()
        }
        return RankVotes(models, votes, tags, **references), {}


class HardVotes(MadeOfModels):
    """Shares of votes for every class or tag, none of them 0; weighted medians of numbers."""

    def __init__(self, models: Sequence[FoldModel], votes: Sequence[float], tags: Sequence[str]) -> None:
        self.models, self.votes, self.tags = list(models), list(votes), list(tags)

    def content(self) -> dict[str, Any]:
        return {"votes": self.votes, "tags": self.tags}

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs per task."""
        found = [model.outputs(arrays) for model in self.models]
        return {name: self._counted(found, name) for name in dict.fromkeys(name for own in found for name in own)}

    def _counted(self, found: Sequence[Mapping[str, Array]], name: str) -> Array:
        votes = np.array([vote for vote, own in zip(self.votes, found, strict=True) if name in own])
        values = np.stack([own[name] for own in found if name in own])  # [models, n, ...]
        if values.ndim == 2:
            return weighted_median(values, votes)
        cast = values > 0.5 if name in self.tags else values.argmax(axis=2)[:, :, None] == np.arange(values.shape[2])
        shares, n_classes = np.average(cast, axis=0, weights=votes), 2 if name in self.tags else values.shape[2]
        return np.asarray((len(votes) * shares + 1 / n_classes) / (len(votes) + 1))


class RankVotes(MadeOfModels):
    """Means of ranks, put back on the mean scale of the models; see :func:`rank_mean`."""

    def __init__(self, models: Sequence[FoldModel], votes: Sequence[float], tags: Sequence[str], **references: Array) -> None:
        self.models, self.votes, self.tags, self.references = list(models), list(votes), list(tags), references

    def content(self) -> dict[str, Any]:
        return {"votes": self.votes, "tags": self.tags}

    def arrays(self) -> dict[str, Array]:
        return self.references

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs per task."""
        found = [model.outputs(arrays) for model in self.models]
        result = {}
        for name in dict.fromkeys(name for own in found for name in own):
            own = [k for k, outputs in enumerate(found) if name in outputs]
            columns = [found[k][name].reshape(len(arrays), -1) for k in own]
            votes, references = np.array([self.votes[k] for k in own]), [self.references[f"{k}/{name}"] for k in own]
            mean = np.stack(
                [
                    rank_mean([values[:, c] for values in columns], [reference[:, c] for reference in references], votes)
                    for c in range(columns[0].shape[1])
                ],
                axis=1,
            )
            if found[own[0]][name].ndim == 1:
                result[name] = mean[:, 0]
            elif name in self.tags:
                result[name] = mean
            else:
                total = mean.sum(axis=1, keepdims=True)
                result[name] = np.divide(mean, total, out=np.full_like(mean, 1 / mean.shape[1]), where=total > 0)
        return result


def rank_mean(outputs: Sequence[Array], references: Sequence[Array], votes: Array) -> Array:
    """Mean of the ranks that outputs have among the reference outputs of their own model, on the models' mean scale.

    A row's rank does not depend on the other rows that are predicted.

    Parameters
    ----------
    outputs : sequence of n_models arrays of shape (n,)
    references : sequence of n_models arrays of shape (n_quantiles,)
        Quantiles of outputs of each model, ascending.
    votes : array of shape (n_models,)

    Examples
    --------
    >>> wide, narrow = np.linspace(0, 1, 11), np.linspace(0.4, 0.6, 11)
    >>> rank_mean([np.array([0.9]), np.array([0.58])], [wide, narrow], np.ones(2)).round(2).tolist()
    [0.74]
    """
    ranks = [_rank(values, reference) for values, reference in zip(outputs, references, strict=True)]
    rank = np.average(ranks, axis=0, weights=votes)
    scale = np.average(np.stack(references), axis=0, weights=votes)
    return np.asarray(np.interp(rank, np.linspace(0, 1, len(scale)), scale))


def reference_quantiles(outputs: Array) -> Array:
    """Quantiles of every column of outputs, [n_quantiles, columns]; rows of NaN are left out."""
    columns = outputs.reshape(len(outputs), -1)
    known = columns[np.isfinite(columns).all(axis=1)]
    return np.quantile(known, np.linspace(0, 1, N_QUANTILES), axis=0)


def weighted_median(values: Array, weights: Array) -> Array:
    """Median over the first axis; the middle between two where half of the weight is on each side.

    >>> weighted_median(np.array([[1.0], [9.0], [2.0]]), np.ones(3)).tolist()
    [2.0]
    >>> weighted_median(np.array([[1.0], [3.0]]), np.ones(2)).tolist()
    [2.0]
    """
    order = np.argsort(values, axis=0, kind="stable")
    ordered, below = np.take_along_axis(values, order, axis=0), np.cumsum(weights[order], axis=0)
    half = below[-1] / 2
    lower = (below < half * (1 - 1e-12)).sum(axis=0)  # the first at which half of the weight is reached
    upper = (below <= half * (1 + 1e-12)).sum(axis=0).clip(max=len(values) - 1)
    columns = np.arange(values.shape[1])
    return np.asarray((ordered[lower, columns] + ordered[upper, columns]) / 2)


def _rank(values: Array, reference: Array) -> Array:
    """Rank in [0, 1]: between two quantiles by line, among equal ones the middle."""
    left, right = np.searchsorted(reference, values, "left"), np.searchsorted(reference, values, "right")
    by_line = np.interp(values, reference, np.arange(len(reference), dtype=np.float64))
    return np.asarray(np.where(right > left, (left + right - 1) / 2, by_line) / (len(reference) - 1))
