"""Words of a text column to a few numbers: TF-IDF, then a projection, both fitted on training rows and kept in buffers."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

TEXT_FEATURES = 150  # scikit-learn advises 100 for latent semantic analysis; on 28 emotions in short texts 200 did better
_MOST_ROWS = 20_000  # rows that the projection is fitted on, evenly spaced


def text_width(vocabulary: int) -> int:
    """Numbers that a text column with so many codes becomes.

    >>> text_width(5_001), text_width(12)
    (150, 11)
    """
    return min(TEXT_FEATURES, vocabulary - 1)


class TextProjection(nn.Module):
    """Counts of words to ``width`` numbers: latent semantic analysis.

    Counts c become (1 + ln c) times how rare the word is, ln((1 + rows) / (1 + rows with it)) + 1; each row is divided by its
    length, projected to the leading right singular vectors of the training rows, centred, and scaled by the widest spread of a
    direction over these rows: one scale for all, so that noise is not blown up.

    Parameters
    ----------
    vocabulary : int
        Codes, 0 (no word) included.

    References
    ----------
    Deerwester, Dumais, Furnas, Landauer & Harshman, "Indexing by Latent Semantic Analysis", JASIS 1990.

    Examples
    --------
    >>> projection = TextProjection(4)
    >>> codes = torch.tensor([[1, 2], [2, 3], [3, 0]])
    >>> projection.fit(codes, torch.tensor([[1.0, 1.0], [2.0, 1.0], [1.0, 0.0]]))
    >>> projection(codes, torch.tensor([[1.0, 1.0], [2.0, 1.0], [1.0, 0.0]])).shape
    torch.Size([3, 3])
    """

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        width = text_width(vocabulary)
        self.register_buffer("idf", torch.zeros(vocabulary))
        self.register_buffer("components", torch.zeros(vocabulary, width))
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("scale", torch.ones(()))

    idf: Tensor
    components: Tensor
    center: Tensor
    scale: Tensor

    @torch.no_grad()
    def fit(self, codes: Tensor, counts: Tensor) -> None:
        """Set the buffers from training rows: integer codes [n, L] (0 fills a row) and float counts [n, L]."""
        every = max(1, -(-len(codes) // _MOST_ROWS))
        n_rows = torch.bincount(codes.flatten().long(), minlength=len(self.idf)).to(self.idf)
        self.idf.copy_(torch.log((1 + len(codes)) / (1 + n_rows)) + 1)
        self.idf[0] = 0.0
        codes, counts = codes[::every], counts[::every]
        components = _right_singular_vectors(codes.cpu().numpy(), self._weights(codes, counts).cpu().numpy(), len(self.idf))
        found = torch.as_tensor(components).to(self.components)[: self.components.shape[1]]
        self.components.zero_()
        self.components[:, : len(found)] = found.T
        self.components[0] = 0.0
        self.center.zero_()
        self.scale.fill_(1.0)
        projected = self(codes, counts).double()
        self.center.copy_(projected.mean(dim=0))
        widest = float(projected.std(dim=0, correction=0).amax()) if projected.numel() else 0.0
        self.scale.fill_(widest if widest > 0 else 1.0)

    def forward(self, codes: Tensor, counts: Tensor) -> Tensor:
        """Codes [n, L] and counts [n, L] to float32 [n, width]; a row without a known word is a row of an empty text."""
        weights = self._weights(codes, counts)
        bags = nn.functional.embedding_bag(codes, self.components, per_sample_weights=weights, mode="sum")
        return (bags - self.center) / self.scale

    def _weights(self, codes: Tensor, counts: Tensor) -> Tensor:
        """TF-IDF of each word of each row [n, L]; rows have length 1, or 0 without words."""
        weights = torch.where(codes > 0, (1 + torch.log(counts.clamp(min=1.0))) * self.idf[codes], 0.0)
        return weights / weights.square().sum(dim=1, keepdim=True).sqrt().clamp(min=1e-12)


def _right_singular_vectors(codes: Any, weights: Any, vocabulary: int) -> Any:
    """Leading right singular vectors [width or fewer, vocabulary] of the sparse matrix of these rows."""
    from scipy.sparse import csr_matrix
    from sklearn.utils.extmath import randomized_svd

    seen = codes > 0
    ends = np.concatenate([[0], np.cumsum(seen.sum(axis=1))])
    rows = csr_matrix((weights[seen].astype(np.float64), codes[seen], ends), shape=(len(codes), vocabulary))
    width = min(text_width(vocabulary), len(codes))
    if not rows.nnz or not width:
        return np.zeros((0, vocabulary))
    return randomized_svd(rows, n_components=width, n_iter=4, random_state=0)[2]
