import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytask.data.splits import ClusterKFold, joined_groups, similarity_clusters
from polytask.exceptions import DataError, OptionError, PolytaskWarning

SMILES = ["CCCCCCO", "CCCCCCCO", "CCCCCCCCO", "c1ccccc1C(=O)O", "c2ccccc2C(=O)O", "c1ccccc1C(=O)N", "ClCCBr", "BrCCCl", "C"]


def gower(X):
    """The coefficient from its definition, pair by pair, columns without wild values."""
    scaled = (X - X.min(axis=0)) / np.ptp(X, axis=0)
    return 1 - np.abs(scaled[:, None] - scaled[None]).mean(axis=2)


def grams(text):
    return {text[k : k + 4] for k in range(max(len(text) - 3, 1))}


def assert_pairs_at_least_so_similar_share_a_cluster(similarity, clusters, threshold):
    i, j = np.nonzero(similarity >= threshold)
    assert (clusters[i] == clusters[j]).all()


def assert_clusters_are_connected(similarity, clusters, threshold):
    """No cluster can be cut without cutting a similar pair: the clusters are the finest possible."""
    for cluster in np.unique(clusters):
        rows = np.flatnonzero(clusters == cluster)
        reached = {rows[0]}
        while True:
            more = {j for j in rows if (similarity[list(reached), j] >= threshold).any()}
            if more == reached:
                break
            reached |= more
        assert reached == set(rows)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 60), threshold=st.floats(0.5, 1.0), seed=st.integers(0, 1000))
def test_clusters_are_the_finest_that_never_cut_a_similar_pair(n, threshold, seed):
    X = np.random.default_rng(seed).uniform(size=(n, 3))
    clusters, similarity = similarity_clusters(X, threshold=threshold), gower(X)
    assert_pairs_at_least_so_similar_share_a_cluster(similarity, clusters, threshold)
    assert_clusters_are_connected(similarity, clusters, threshold - 2e-9)


def test_texts_are_compared_by_the_jaccard_index_of_their_substrings(rng):
    texts = ["".join(rng.choice(list("ab"), rng.integers(4, 12))) for _ in range(40)]
    sets = [grams(text) for text in texts]
    similarity = np.array([[len(a & b) / len(a | b) for b in sets] for a in sets])
    for threshold in (0.4, 0.7, 1.0):
        clusters = similarity_clusters(texts, threshold=threshold)
        assert_pairs_at_least_so_similar_share_a_cluster(similarity, clusters, threshold)
        assert_clusters_are_connected(similarity, clusters, threshold)


def test_ring_numbers_and_elements_of_two_letters_are_read():
    assert (
        similarity_clusters(SMILES, threshold=0.99, metric="smiles").tolist()[3]
        == similarity_clusters(SMILES, threshold=0.99, metric="smiles")[4]
    )
    clusters = similarity_clusters(SMILES, threshold=0.7, metric="smiles")
    assert len({*clusters[:3]}) == 1
    assert clusters[3] == clusters[5]
    assert len({clusters[0], clusters[3], clusters[6], clusters[8]}) == 4


def test_blocks_of_pairs_give_the_same_as_all_pairs_at_once(monkeypatch, rng):
    X = pd.DataFrame({"a": rng.normal(size=200), "b": rng.choice(list("xyz"), 200)})
    texts = ["".join(rng.choice(list("abc"), 6)) for _ in range(200)]
    whole = [similarity_clusters(X, threshold=0.999), similarity_clusters(texts, threshold=0.5)]
    monkeypatch.setattr("polytask.data.splits._similarity._BLOCK", 1000)
    np.testing.assert_array_equal(whole[0], similarity_clusters(X, threshold=0.999))
    np.testing.assert_array_equal(whole[1], similarity_clusters(texts, threshold=0.5))


def test_the_order_of_rows_is_irrelevant_to_k_means_too(rng):
    X = rng.normal(size=(80, 4))
    X[40:] = X[:40]
    order = rng.permutation(80)
    straight, shuffled = (similarity_clusters(own, n_clusters=7) for own in (X, X[order]))
    np.testing.assert_array_equal(straight[order], shuffled)
    np.testing.assert_array_equal(straight[:40], straight[40:])
    assert len(np.unique(straight)) == 7
    assert len(np.unique(similarity_clusters(SMILES, n_clusters=3, metric="smiles"))) == 3


def test_near_duplicates_are_not_cut_by_k_means(rng):
    X = np.repeat(rng.normal(size=(20, 2)), 3, axis=0)
    X[1::3] += 0.001
    clusters = similarity_clusters(X, threshold=0.99, n_clusters=4)
    np.testing.assert_array_equal(clusters[::3], clusters[1::3])


def test_categories_missing_values_and_dates_are_compared():
    frame = pd.DataFrame(
        {
            "n": [1.0, 1.0, np.nan, np.nan],
            "c": ["x", "x", "x", None],
            "day": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-01", "2024-06-01"]),
            "same": 3,
        }
    )
    assert similarity_clusters(frame, threshold=1.0).tolist() in ([0, 0, 1, 2], [1, 1, 0, 2], [0, 0, 2, 1], [2, 2, 1, 0])
    assert similarity_clusters(frame, threshold=0.75).tolist()[:3] == [similarity_clusters(frame, threshold=0.75)[0]] * 3


def test_one_wild_value_does_not_make_all_others_alike(rng):
    X = np.r_[np.arange(50.0), 1e12][:, None]
    assert len(np.unique(similarity_clusters(X, threshold=0.995))) == 51
    assert similarity_clusters(np.r_[np.arange(5.0), np.inf][:, None], threshold=0.995).tolist() == [0, 1, 2, 3, 4, 4]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({}, "needs a `threshold`"),
        ({"threshold": 0}, r"must be in \(0, 1\]; got 0"),
        ({"threshold": 1.1}, "got 1.1"),
        ({"threshold": True}, "got True"),
        ({"n_clusters": 1}, "at least 2; got 1"),
        ({"n_clusters": 10, "threshold": 1}, "leaves 9 clusters"),
        ({"threshold": 0.5, "metric": "tanimoto"}, "`metric` must be"),
    ],
)
def test_settings_that_cannot_be_are_explained(settings, message):
    with pytest.raises(OptionError, match=message):
        similarity_clusters(np.arange(9.0)[:, None] ** 2, **settings)


def test_data_that_cannot_be_compared_are_explained():
    with pytest.raises(DataError, match=r"got 2 columns\. Pass that column"):
        similarity_clusters(np.zeros((3, 2)), threshold=0.5, metric="smiles")
    with pytest.raises(DataError, match="no missing values to be clustered; got 1"):
        similarity_clusters(["CCO", None], threshold=0.5)
    with pytest.raises(DataError, match="needs rows and columns"):
        similarity_clusters(np.zeros((0, 2)), threshold=0.5)


def test_folds_keep_clusters_and_groups_whole_and_compare_other_values(rng):
    smiles = ["".join(rng.choice(list("CNOSPF"), 6)) for _ in range(30)]
    smiles += [f"{text}C" for text in smiles]
    groups = np.arange(60) // 2
    splitter = ClusterKFold(3, values=smiles, threshold=0.6, metric="smiles", random_state=0)
    clusters = similarity_clusters(smiles, threshold=0.6, metric="smiles")
    assert len(np.unique(clusters)) < 40
    for train, test in splitter.split(np.zeros((60, 1))):
        assert not set(clusters[train]) & set(clusters[test])
    joined = splitter.groups_of(np.zeros((60, 1)), groups)
    for own in (clusters, groups):
        assert all(len(set(joined[own == name])) == 1 for name in np.unique(own))


def test_too_few_clusters_and_one_huge_one_are_told():
    with pytest.raises(OptionError, match=r"rows alike made 1\. Raise `threshold`"):
        list(ClusterKFold(2).split(np.zeros((10, 1))))
    with pytest.warns(PolytaskWarning, match="holds 9 of 10 rows"):
        list(ClusterKFold(2, random_state=0).split(np.r_[np.zeros(9), 1.0][:, None]))
    with pytest.raises(DataError, match="got neither"):
        list(ClusterKFold(2).split())


def test_joined_groups_are_the_finest_that_keep_both_whole():
    assert joined_groups([1, 1, 2, 3, 4], ["a", "b", "b", "c", "c"]).tolist() == [0, 0, 0, 1, 1]
