"""ResNet: residual blocks over a table."""

from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts, check_number, check_share
from polytask.networks.encoders._embedded_inputs import EmbeddedInputs
from polytask.networks.encoders._scaling import Scaling
from polytask.networks.encoders._table_inputs import TableShape


class ResNetBlock(nn.Module):
    """Features [..., width] and what two layers add to them."""

    def __init__(self, width: int, hidden: int, *, dropout: float, residual_dropout: float) -> None:
        super().__init__()
        # DIFFERS FROM PAPER: layer instead of batch normalization, so that a row does not depend on its neighbours, and many
        # networks can be trained at once by torch.func.vmap
        self.norm = nn.LayerNorm(width)
        self.layers = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, width), nn.Dropout(residual_dropout)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features [..., width] to features [..., width]."""
        return features + self.layers(self.norm(features))


class ResNetEncoder(nn.Module):
    """The module that :class:`ResNet` builds: a table's prepared inputs to features [..., out_features]."""

    def __init__(
        self,
        shape: TableShape,
        *,
        n_blocks: int,
        width: int,
        hidden: int,
        dropout: float,
        residual_dropout: float,
        numeric: Scaling,
        embedding: Recipe | None,
    ) -> None:
        super().__init__()
        self.inputs = EmbeddedInputs(shape, numeric=numeric, embedding=embedding)
        self.first = nn.Linear(self.inputs.out_features, width)
        blocks = [ResNetBlock(width, hidden, dropout=dropout, residual_dropout=residual_dropout) for _ in range(n_blocks)]
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(width)  # DIFFERS FROM PAPER: as in the blocks
        self.out_features = width
        self.stage_features = [width] * (n_blocks + 1)

    def fit_statistics(self, numeric: Tensor, *tokens: Tensor) -> None:
        """Fit what is a value of the training rows (scaling, bins, weights of words); see :meth:`TableInputs.fit_statistics`."""
        self.inputs.fit_statistics(numeric, *tokens)

    def prepare(self, numeric: Tensor, categorical: Tensor, *tokens: Tensor) -> tuple[Tensor, ...]:
        """Do everything that needs no gradient, once per row; see :meth:`TableInputs.prepare`."""
        return self.inputs.prepare(numeric, categorical, *tokens)

    def embed(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Prepared inputs to what the first block reads."""
        return self.first(self.inputs(dense, codes))

    def finish(self, stage: Tensor) -> Tensor:
        """What the last block makes to features."""
        return self.norm(stage).relu()

    def forward(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Prepared inputs to features [..., out_features]."""
        return self.finish(self.blocks(self.embed(dense, codes)))


class ResNet(Recipe):
    """ResNet for tables: a linear layer, then blocks that each add to their input what two layers make of it.

    Parameters
    ----------
    n_blocks : int, default=2
    width : int, default=128
        Features between the blocks.
    hidden_factor : float, default=2.0
        Hidden units of a block, as a multiple of ``width``.
    dropout : float in [0, 1), default=0.1
        Share of hidden units dropped in training.
    residual_dropout : float in [0, 1), default=0.0
        Share dropped of what a block adds.
    numeric : {"standard", "quantile", "robust"}, default="standard"
        Scaling of numeric columns, fitted on training rows; see :class:`NumericScaling`.
    embedding : Periodic or PiecewiseLinear, optional
        Embedding of the scaled numbers; by default they are taken as they are.

    Notes
    -----
    The paper normalizes over the batch; here each row is normalized alone (layer normalization).

    References
    ----------
    Gorishniy, Rubachev, Khrulkov & Babenko, "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021. arXiv:2106.11959

    Examples
    --------
    >>> from polytask.networks import TableShape
    >>> ResNet(width=32).build(TableShape(n_numeric=4)).out_features
    32
    """

    def __init__(
        self,
        *,
        n_blocks: int = 2,
        width: int = 128,
        hidden_factor: float = 2.0,
        dropout: float = 0.1,
        residual_dropout: float = 0.0,
        numeric: Scaling = "standard",
        embedding: Recipe | None = None,
    ) -> None:
        self.n_blocks = n_blocks
        self.width = width
        self.hidden_factor = hidden_factor
        self.dropout = dropout
        self.residual_dropout = residual_dropout
        self.numeric = numeric
        self.embedding = embedding

    def build(self, shape: TableShape) -> ResNetEncoder:
        """Make the encoder for tables of this shape.

        Raises
        ------
        OptionError
            If a setting is out of its range.
        """
        check_counts("ResNet", n_blocks=self.n_blocks, width=self.width)
        check_number("ResNet", hidden_factor=self.hidden_factor)
        if self.hidden_factor * self.width < 1:
            raise OptionError(
                "`hidden_factor` of ResNet must be large enough for one unit; "
                f"got {self.hidden_factor} with `width` {self.width}."
            )
        check_share("ResNet", dropout=self.dropout, residual_dropout=self.residual_dropout)
        return ResNetEncoder(
            shape,
            n_blocks=self.n_blocks,
            width=self.width,
            hidden=int(self.hidden_factor * self.width),
            dropout=self.dropout,
            residual_dropout=self.residual_dropout,
            numeric=self.numeric,
            embedding=self.embedding,
        )
