"""FT-Transformer: attention between the columns of a table."""

from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts, check_number, check_share
from polytask.networks.encoders._scaling import Scaling
from polytask.networks.encoders._table_inputs import TableShape
from polytask.networks.encoders._tokens import ColumnTokens


class SelfAttention(nn.Module):
    """Tokens [..., L, width] to what each, or the first alone, reads of all.

    Written out, since fused attention does not pass through :func:`torch.func.vmap` with dropout of its own for every network.
    """

    def __init__(self, width: int, *, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, *, only_first: bool = False) -> Tensor:
        """Tokens [..., L, width] to [..., L, width], or [..., 1, width]."""
        queries = tokens[..., :1, :] if only_first else tokens
        query, key, value = self._heads(self.query(queries)), self._heads(self.key(tokens)), self._heads(self.value(tokens))
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(dim=-1)  # [..., heads, queries, L]
        return self.out((self.dropout(weights) @ value).transpose(-2, -3).flatten(-2))

    def _heads(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(-1, (self.n_heads, -1)).transpose(-2, -3)


class FTTransformerBlock(nn.Module):
    """Tokens and what attention, then two layers with a gate, add to them; each norms what it reads."""

    def __init__(
        self,
        width: int,
        *,
        n_heads: int,
        hidden: int,
        dropout: float,
        attention_dropout: float,
        residual_dropout: float,
        is_first: bool,
        is_last: bool,
    ) -> None:
        super().__init__()
        self.is_last = is_last
        self.attention_norm = nn.Identity() if is_first else nn.LayerNorm(width)  # as the paper found to be best
        self.attention = SelfAttention(width, n_heads=n_heads, dropout=attention_dropout)
        self.norm = nn.LayerNorm(width)
        self.gated, self.linear = nn.Linear(width, 2 * hidden), nn.Linear(hidden, width)
        self.dropout, self.residual_dropout = nn.Dropout(dropout), nn.Dropout(residual_dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens [..., L, width] to [..., L, width]; of the last block [..., 1, width], the only one that is read."""
        found = self.attention(self.attention_norm(tokens), only_first=self.is_last)
        tokens = (tokens[..., :1, :] if self.is_last else tokens) + self.residual_dropout(found)
        values, gates = self.gated(self.norm(tokens)).chunk(2, dim=-1)
        return tokens + self.residual_dropout(self.linear(self.dropout(values * gates.relu())))


class FTTransformerEncoder(nn.Module):
    """The module that :class:`FTTransformer` builds: a table's prepared inputs to features [..., out_features]."""

    def __init__(
        self,
        shape: TableShape,
        *,
        n_blocks: int,
        width: int,
        n_heads: int,
        hidden: int,
        dropout: float,
        attention_dropout: float,
        residual_dropout: float,
        numeric: Scaling,
        embedding: Recipe | None,
    ) -> None:
        super().__init__()
        self.inputs = ColumnTokens(shape, width=width, numeric=numeric, embedding=embedding)
        self.blocks = nn.ModuleList(
            FTTransformerBlock(
                width,
                n_heads=n_heads,
                hidden=hidden,
                dropout=dropout,
                attention_dropout=attention_dropout,
                residual_dropout=residual_dropout,
                is_first=k == 0,
                is_last=k == n_blocks - 1,
            )
            for k in range(n_blocks)
        )
        self.norm = nn.LayerNorm(width)
        self.out_features = width
        self.stage_features = [width] * (n_blocks + 1)

    def fit_statistics(self, numeric: Tensor, *tokens: Tensor) -> None:
        """Fit what is a value of the training rows (scaling, bins, weights of words); see :meth:`TableInputs.fit_statistics`."""
        self.inputs.fit_statistics(numeric, *tokens)

    def prepare(self, numeric: Tensor, categorical: Tensor, *tokens: Tensor) -> tuple[Tensor, ...]:
        """Do everything that needs no gradient, once per row; see :meth:`TableInputs.prepare`."""
        return self.inputs.prepare(numeric, categorical, *tokens)

    def embed(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Prepared inputs to what the first block reads: tokens [..., 1 + columns, width]."""
        return self.inputs(dense, codes)

    def finish(self, tokens: Tensor) -> Tensor:
        """Tokens after the last block to features [..., out_features]: the first one, normed."""
        return self.norm(tokens[..., 0, :]).relu()

    def forward(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Prepared inputs to features [..., out_features]."""
        tokens = self.embed(dense, codes)
        for block in self.blocks:
            tokens = block(tokens)
        return self.finish(tokens)


class FTTransformer(Recipe):
    """FT-Transformer: each column becomes a token, and tokens read each other by attention.

    The strongest of the networks of its paper where columns are few, and the dearest: its cost grows with the square of the
    number of columns, where that of an :class:`MLP` does not. Use it where the table is narrow (tens of columns) and training
    time, and some milliseconds more per prediction, do not matter.

    Parameters
    ----------
    n_blocks : int, default=2
    width : int, default=128
        Features of a token; a multiple of ``n_heads``.
    n_heads : int, default=8
    hidden_factor : float, default=4/3
        Hidden units of the two layers of a block, as a multiple of ``width``.
    dropout : float in [0, 1), default=0.05
        Share of hidden units dropped in training.
    attention_dropout : float in [0, 1), default=0.15
        Share dropped of what tokens read of each other.
    residual_dropout : float in [0, 1), default=0.0
        Share dropped of what a block adds.
    numeric : {"standard", "quantile", "robust"}, default="standard"
        Scaling of numeric columns, fitted on training rows; see :class:`NumericScaling`.
    embedding : Periodic or PiecewiseLinear, optional
        Embedding of the scaled numbers, before a linear layer per column makes tokens of them.

    Notes
    -----
    Defaults are the authors' for two blocks (their package ``rtdl_revisiting_models``). What the paper has not: a vector added to
    the token of a missing number, and a token per text column.

    References
    ----------
    Gorishniy, Rubachev, Khrulkov & Babenko, "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021. arXiv:2106.11959

    Examples
    --------
    >>> from polytask.networks import TableShape
    >>> FTTransformer(width=32).build(TableShape(n_numeric=4)).out_features
    32
    """

    in_stacks = False  # six at once took 0.9 to 1.2 times as long as one after another, and six times the memory

    def __init__(
        self,
        *,
        n_blocks: int = 2,
        width: int = 128,
        n_heads: int = 8,
        hidden_factor: float = 4 / 3,
        dropout: float = 0.05,
        attention_dropout: float = 0.15,
        residual_dropout: float = 0.0,
        numeric: Scaling = "standard",
        embedding: Recipe | None = None,
    ) -> None:
        self.n_blocks = n_blocks
        self.width = width
        self.n_heads = n_heads
        self.hidden_factor = hidden_factor
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.residual_dropout = residual_dropout
        self.numeric = numeric
        self.embedding = embedding

    def build(self, shape: TableShape) -> FTTransformerEncoder:
        """Make the encoder for tables of this shape.

        Raises
        ------
        OptionError
            If a setting is out of its range.
        """
        check_counts("FTTransformer", n_blocks=self.n_blocks, width=self.width, n_heads=self.n_heads)
        check_number("FTTransformer", hidden_factor=self.hidden_factor)
        if self.hidden_factor * self.width < 1:
            raise OptionError(
                "`hidden_factor` of FTTransformer must be large enough for one unit; "
                f"got {self.hidden_factor} with `width` {self.width}."
            )
        if self.width % self.n_heads:
            raise OptionError(f"`width` of FTTransformer must be a multiple of `n_heads`; got {self.width} and {self.n_heads}.")
        check_share("FTTransformer", dropout=self.dropout, attention_dropout=self.attention_dropout)
        check_share("FTTransformer", residual_dropout=self.residual_dropout)
        return FTTransformerEncoder(
            shape,
            n_blocks=self.n_blocks,
            width=self.width,
            n_heads=self.n_heads,
            hidden=int(self.hidden_factor * self.width),
            dropout=self.dropout,
            attention_dropout=self.attention_dropout,
            residual_dropout=self.residual_dropout,
            numeric=self.numeric,
            embedding=self.embedding,
        )
