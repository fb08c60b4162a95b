"""MLP: a multilayer perceptron over a table."""

from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts, check_share
from polytask.networks.encoders._embedded_inputs import EmbeddedInputs
from polytask.networks.encoders._scaling import Scaling
from polytask.networks.encoders._table_inputs import TableShape

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


class MLPEncoder(nn.Module):
    """The module that :class:`MLP` builds: a table's prepared inputs to features [..., out_features]."""

    def __init__(
        self,
        shape: TableShape,
        *,
        n_layers: int,
        width: int,
        dropout: float,
        activation: str,
        numeric: Scaling,
        embedding: Recipe | None = None,
    ) -> None:
        super().__init__()
        self.inputs = EmbeddedInputs(shape, numeric=numeric, embedding=embedding)
        layers: list[nn.Module] = []
        in_features = self.inputs.out_features
        for _ in range(n_layers):
            layers += [nn.Linear(in_features, width), ACTIVATIONS[activation](), nn.Dropout(dropout)]
            in_features = width
        self.layers = nn.Sequential(*layers)
        self.out_features = in_features
        self.stage_features = [self.inputs.out_features] + n_layers * [width]

    def fit_statistics(self, numeric: Tensor, *tokens: Tensor) -> None:
        """Fit what is a value of the training rows (scaling, weights of words); see :meth:`TableInputs.fit_statistics`."""
        self.inputs.fit_statistics(numeric, *tokens)

    def prepare(self, numeric: Tensor, categorical: Tensor, *tokens: Tensor) -> tuple[Tensor, ...]:
        """Do everything that needs no gradient, once per row; see :meth:`TableInputs.prepare`."""
        return self.inputs.prepare(numeric, categorical, *tokens)

    def embed(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Prepared inputs to what the first block reads."""
        return self.inputs(dense, codes)

    @property
    def blocks(self) -> list[nn.Module]:
        """Layers with their activation and dropout."""
        return [self.layers[k : k + 3] for k in range(0, len(self.layers), 3)]

    def finish(self, stage: Tensor) -> Tensor:
        """What the last block makes to features: as it is."""
        return stage

    def forward(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Prepared inputs to features [..., out_features]."""
        return self.layers(self.embed(dense, codes))


class MLP(Recipe):
    """Multilayer perceptron for tables.

    Parameters
    ----------
    n_layers : int, default=2
        Hidden layers, 0 for none (then a network is linear in its scaled inputs).
    width : int, default=128
        Units per hidden layer.
    dropout : float in [0, 1), default=0.1
        Share of hidden units dropped in training.
    activation : {"relu", "gelu", "silu", "tanh"}, default="relu"
    numeric : {"standard", "quantile", "robust"}, default="standard"
        Scaling of numeric columns, fitted on training rows; see :class:`NumericScaling`.
    embedding : Periodic or PiecewiseLinear, optional
        Embedding of the scaled numbers; by default they are taken as they are.

    Examples
    --------
    >>> from polytask.networks import TableShape
    >>> MLP(width=32).build(TableShape(n_numeric=4)).out_features
    32
    """

    def __init__(
        self,
        *,
        n_layers: int = 2,
        width: int = 128,
        dropout: float = 0.1,
        activation: str = "relu",
        numeric: Scaling = "standard",
        embedding: Recipe | None = None,
    ) -> None:
        self.n_layers = n_layers
        self.width = width
        self.dropout = dropout
        self.activation = activation
        self.numeric = numeric
        self.embedding = embedding

    def build(self, shape: TableShape) -> MLPEncoder:
        """Make the encoder for tables of this shape.

        Raises
        ------
        OptionError
            If a setting is out of its range.
        """
        check_counts("MLP", at_least=0, n_layers=self.n_layers)
        check_counts("MLP", width=self.width)
        check_share("MLP", dropout=self.dropout)
        if self.activation not in ACTIVATIONS:
            raise OptionError(f"`activation` of MLP must be one of {', '.join(ACTIVATIONS)}; got {self.activation!r}.")
        return MLPEncoder(
            shape,
            n_layers=self.n_layers,
            width=self.width,
            dropout=self.dropout,
            activation=self.activation,
            numeric=self.numeric,
            embedding=self.embedding,
        )
