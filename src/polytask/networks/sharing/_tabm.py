"""TabM: an ensemble of networks that share almost all weights, around another architecture."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts
from polytask.networks.encoders._mlp import MLPEncoder
from polytask.networks.sharing._stages import OnEncoders, without_texts


class _Spread(nn.Module):
    """What the first block reads, times the vector of each member."""

    keeps_columns = True  # a feature is still that of its column

    def forward(self, stage: Tensor, signs: Tensor) -> Tensor:
        """Both in shapes that are broadcast."""
        return stage * signs


class TabMLayer(nn.Module):
    """The module that :class:`TabM` builds: prepared inputs to a representation [..., k, n, out_features] per task."""

    def __init__(self, encoder: nn.Module, layer: nn.Module, *, n_members: int) -> None:
        super().__init__()
        self.encoder, self.layer, self.n_members = encoder, layer, n_members
        self.signs = nn.Parameter(_first_scaling(encoder, n_members))
        self.spread = _Spread()
        self.out_features: int = layer.out_features  # type: ignore[assignment]

    def forward(self, *prepared: Tensor) -> list[Tensor]:
        """One tensor [..., k, n, out_features] per task."""
        found: list[Tensor] = self.layer(self.features(*prepared))
        return found

    def at_once(self, *prepared: Tensor) -> list[Tensor]:
        """The same, faster where the architecture inside has a faster way."""
        found: list[Tensor] = getattr(self.layer, "at_once", self.layer)(self.features(*prepared))
        return found

    def features(self, *prepared: Tensor) -> Tensor:
        """Features [..., k, n, d] that each member makes of the rows."""
        stage: Tensor = self.encoder.embed(*prepared)  # type: ignore[operator]
        place = prepared[0].dim() - 2  # of the members, before rows; tokens have one axis more
        between = [1] * (stage.dim() - place - 1)
        stage = self.spread(stage.unsqueeze(place), self.signs.view(self.n_members, *between, -1))
        for block in self.encoder.blocks:  # type: ignore[union-attr]
            stage = block(stage)
        found: Tensor = self.encoder.finish(stage)  # type: ignore[operator]
        return found

    def task_weights(self, *prepared: Tensor) -> Tensor:
        """Those of the architecture inside, mean over members."""
        found: Tensor = self.layer.task_weights(self.features(*prepared))  # type: ignore[operator]
        return found.mean(-3) if found.dim() > 2 else found  # some are of no rows, and so of no members

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        found: list[str] = self.layer.part_names(tasks)  # type: ignore[operator]
        return found


def _first_scaling(encoder: nn.Module, n_members: int) -> Tensor:
    """What members multiply the first stage by, [n_members, d]: signs, or normal where numbers of an MLP are embedded.

    Of an MLP, whose first stage is the features of the table, it is drawn once for each column, as in the authors' package.
    """
    if not isinstance(encoder, MLPEncoder):
        return torch.randint(0, 2, (n_members, int(encoder.stage_features[0]))) * 2.0 - 1.0  # type: ignore[index]
    columns = encoder.inputs.feature_columns()
    shape = (n_members, int(columns.max()) + 1)
    drawn = torch.randint(0, 2, shape) * 2.0 - 1.0 if encoder.inputs.embedding is None else torch.randn(shape)
    return drawn[:, columns]


class PlainTabMLayer(TabMLayer):
    """A :class:`TabMLayer` around an architecture without gates."""

    task_weights = None  # type: ignore[assignment]
    part_names = None  # type: ignore[assignment]


class TabM(OnEncoders):
    """TabM: k networks in one, which share all weights but a vector at the start and the heads, around any sharing of features.

    Every member multiplies what the first block of the encoder reads by a vector of its own, which starts as random signs, one
    for each column of the table (normal numbers where an MLP embeds its numbers), and has heads of its own. Each learns from its
    own loss; a prediction is the mean over members, of probabilities or numbers.

    Parameters
    ----------
    sharing : Recipe or str, default=HardSharing()
        An architecture that reads features, such as ``MMoE()`` or ``"mmoe"``.
    k : int, default=16
        Members. Time grows with them, the number of parameters hardly.

    Notes
    -----
    This is the paper's TabM-mini: of its adapters only the first. The paper takes 32 members. The epoch that is kept is the one
    whose members were best on the mean, each by itself; their mean predicts better than that.

    References
    ----------
    Gorishniy, Kotelnikov & Babenko, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling", ICLR 2025.
    arXiv:2410.24210

    Examples
    --------
    >>> from polytask.networks import MLP, TableShape
    >>> layer = TabM("mmoe", k=4).build_on(lambda: MLP().build(TableShape(2)), 3)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 2), torch.zeros(5, 0, dtype=torch.long))]
    [(4, 5, 64), (4, 5, 64), (4, 5, 64)]
    """

    # DIFFERS FROM PAPER: around ResNet and FTTransformer, whose first stage is no column's, signs are drawn for each feature;
    # the best epoch is judged by the mean error of members, not by the error of their mean

    def __init__(self, sharing: Recipe | str | None = None, *, k: int = 16) -> None:
        self.sharing = sharing
        self.k = k

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> TabMLayer:
        """Make the layer.

        Raises
        ------
        OptionError
            If the sharing inside does not read features, the encoder does not show its stages, or ``k`` is below 2.
        """
        from polytask.networks.sharing._registry import sharing_of  # which knows this one too

        check_counts("TabM", at_least=2, k=self.k)
        inside = sharing_of("hard" if self.sharing is None else self.sharing, option="`sharing` of TabM")
        if type(inside).product_of is not Recipe.product_of:
            raise OptionError("TabM goes inside of ESMM: write `ESMM(..., sharing=TabM())`, or 'esmm:...,sharing=tabm'.")
        if inside.reads != "features":
            raise OptionError(
                f"`sharing` of TabM must be an architecture that reads features, such as HardSharing() or MMoE(); got {inside}."
            )
        encoder = without_texts(make_encoder)
        lacking = [name for name in ("embed", "blocks", "finish", "stage_features") if not hasattr(encoder, name)]
        if lacking:
            raise OptionError(
                f"TabM begins within an encoder, and {type(encoder).__name__} does not show its stages: it has no "
                f"{', '.join(map(repr, lacking))}. Take MLP, ResNet or FTTransformer."
            )
        layer = inside.build(encoder.out_features, n_tasks)
        kind = TabMLayer if hasattr(layer, "task_weights") else PlainTabMLayer
        return kind(encoder, layer, n_members=self.k)
