import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer

from polytask.networks import MLP, TableShape
from polytask.networks.encoders import TextProjection, text_width

RNG = np.random.default_rng(0)


def bags(n=60, vocabulary=30, length=8):
    """Codes (each word once per row, 0 fills) and counts."""
    codes = np.stack([RNG.permutation(np.arange(1, vocabulary))[:length] for _ in range(n)])
    counts = RNG.integers(1, 4, codes.shape)
    empty = np.arange(length) >= RNG.integers(1, length + 1, n)[:, None]
    codes[empty], counts[empty] = 0, 0
    return torch.as_tensor(codes), torch.as_tensor(counts, dtype=torch.float32)


def dense(codes, counts, vocabulary):
    rows = np.zeros((len(codes), vocabulary))
    np.put_along_axis(rows, codes.numpy(), counts.numpy(), axis=1)
    rows[:, 0] = 0
    return rows


def test_weights_are_the_tf_idf_of_scikit_learn():
    codes, counts = bags()
    projection = TextProjection(30)
    projection.fit(codes, counts)
    rows = dense(codes, counts, 30)
    expected = TfidfTransformer(sublinear_tf=True).fit(csr_matrix(rows[:, 1:])).transform(csr_matrix(rows[:, 1:])).toarray()
    own = dense(codes, projection._weights(codes, counts), 30)[:, 1:]
    np.testing.assert_allclose(own, expected, atol=1e-6)


def test_directions_are_the_leading_singular_vectors():
    codes, counts = bags()
    projection = TextProjection(30)
    projection.fit(codes, counts)
    rows = dense(codes, projection._weights(codes, counts), 30)
    exact = np.linalg.svd(rows)[2][:5]
    np.testing.assert_allclose(np.abs(exact @ projection.components[:, :5].numpy()), np.eye(5), atol=1e-3)


def test_numbers_are_the_projected_weights_centred_and_scaled():
    codes, counts = bags()
    projection = TextProjection(30)
    projection.fit(codes, counts)
    found = projection(codes, counts)
    rows = dense(codes, projection._weights(codes, counts), 30) @ projection.components.numpy()
    expected = (rows - rows.mean(axis=0)) / rows.std(axis=0).max()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_how_far_rows_are_filled_up_does_not_matter():
    codes, counts = bags()
    projection = TextProjection(30)
    projection.fit(codes, counts)
    pad = (0, 5)
    wider = projection(torch.nn.functional.pad(codes, pad), torch.nn.functional.pad(counts, pad))
    torch.testing.assert_close(wider, projection(codes, counts), rtol=1e-5, atol=1e-5)


def test_fewer_rows_than_directions_leave_the_others_at_zero():
    codes, counts = bags(n=4)
    projection = TextProjection(30)
    projection.fit(codes, counts)
    assert projection.components.shape == (30, text_width(30))
    assert not projection.components[:, 4:].any()
    assert projection(codes, counts).isfinite().all()


def test_rows_without_any_word_are_finite():
    codes = torch.zeros(5, 3, dtype=torch.int32)
    projection = TextProjection(10)
    projection.fit(codes, torch.zeros(5, 3))
    assert projection(codes, torch.zeros(5, 3)).isfinite().all()


def test_an_encoder_takes_words_beside_numbers_and_codes():
    codes, counts = bags()
    encoder = MLP(width=8).build(TableShape(1, cardinalities=(3,), vocabularies=(30,)))
    numeric, categorical = torch.randn(60, 1, dtype=torch.float64), torch.zeros(60, 1, dtype=torch.long)
    encoder.fit_statistics(numeric, codes, counts)
    prepared = encoder.prepare(numeric, categorical, codes, counts)
    assert prepared[0].shape == (60, 1 + 3 + text_width(30))
    assert encoder(*prepared).shape == (60, 8)
