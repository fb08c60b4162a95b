import json

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from polytask.data import TableCodec
from polytask.data._words import MAX_LENGTH, encode_texts, fit_vocabulary
from polytask.exceptions import DataError

RNG = np.random.default_rng(0)
WORDS = [f"word{k}" for k in range(200)]
TEXTS = [" ".join(RNG.choice(WORDS, 12)) for _ in range(300)]
FRAME = pd.DataFrame({"review": TEXTS, "stars": RNG.integers(1, 6, 300)})


def test_counts_are_those_of_scikit_learn():
    found = fit_vocabulary(TEXTS)
    tokens, notes = encode_texts(pd.Series(TEXTS, name="t"), found.words, length=found.length, known_share=found.known_share)
    dense = np.zeros((len(TEXTS), tokens.size), dtype=np.float32)
    np.put_along_axis(dense, tokens.codes.astype(np.int64), tokens.counts, axis=1)
    expected = CountVectorizer(min_df=2).fit(TEXTS)
    assert list(expected.get_feature_names_out()) == list(found.words)
    np.testing.assert_array_equal(dense[:, 1:], expected.transform(TEXTS).toarray())
    assert notes == []


def test_the_order_of_rows_does_not_matter():
    assert fit_vocabulary(TEXTS) == fit_vocabulary(TEXTS[::-1])


def test_case_and_punctuation_do_not_matter():
    found = fit_vocabulary(["Good book!", "A good BOOK", "l'été, déjà", "L'ÉTÉ déjà"])
    assert found.words == ("book", "déjà", "good", "l", "été")


def test_long_texts_keep_their_most_frequent_words_and_it_is_told():
    words = [f"v{k:04}" for k in range(MAX_LENGTH + 50)]
    long = " ".join(words) + " v0299 v0299"
    found = fit_vocabulary([long, long])
    assert found.length == MAX_LENGTH
    tokens, notes = encode_texts(pd.Series([long], name="t"), found.words, length=found.length, known_share=1.0)
    assert tokens.codes.shape == (1, MAX_LENGTH)
    assert tokens.codes[0, 0] == words.index("v0299") + 1
    assert tokens.counts[0, 0] == 3
    assert notes == [
        f"Column 't': 1 of 1 texts have more than {MAX_LENGTH} different known words; the least frequent of them are left out."
    ]


def test_a_text_column_gives_words_and_how_many_they_are():
    codec = TableCodec.fit(FRAME)
    assert codec.columns[0].kind == "text"
    assert codec.columns[0].reason == "free text: 300 different values in 300 rows; 200 words"
    assert codec.text_names == ("review",)
    assert codec.numeric_names == ("review:words", "stars")
    arrays = codec.transform(FRAME)
    assert arrays.tokens[0].size == 201
    np.testing.assert_allclose(arrays.numeric[:, 0], np.log(13))
    assert arrays.notes == []


def test_texts_that_are_cut_in_training_are_told_in_the_reason():
    long = " ".join(f"v{k:04}" for k in range(MAX_LENGTH + 1))
    frame = pd.DataFrame({"t": [f"{long} {k}" for k in range(30)]})
    assert TableCodec.fit(frame).columns[0].reason.endswith(f"at most {MAX_LENGTH} different ones of a text, 30 texts have more")


def test_missing_texts_have_no_words_and_a_missing_number_of_them():
    codec = TableCodec.fit(FRAME)
    for missing in (None, np.nan, pd.NA):
        arrays = codec.transform(pd.DataFrame({"review": ["word1", missing], "stars": [1, 2]}))
        assert np.isnan(arrays.numeric[:, 0]).tolist() == [False, True]
        assert not arrays.tokens[0].codes[1].any()


def test_unseen_words_are_told_when_they_are_many():
    codec = TableCodec.fit(FRAME)
    arrays = codec.transform(pd.DataFrame({"review": ["Brand new words", "word1 word2"], "stars": [1, 2]}))
    assert arrays.notes == [
        "Column 'review': 3 of 5 words (60%) are not among the 200 known from training, such as 'brand'; in training it were 0%."
    ]
    assert not arrays.tokens[0].codes[0].any()


def test_the_schema_survives_json():
    codec = TableCodec.fit(FRAME)
    again = TableCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    assert again == codec
    np.testing.assert_array_equal(again.transform(FRAME).tokens[0].codes, codec.transform(FRAME).tokens[0].codes)


def test_a_category_can_be_read_as_text_and_the_other_way_round():
    frame = pd.DataFrame({"c": ["red car", "blue car"] * 30})
    assert TableCodec.fit(frame).columns[0].kind == "categorical"
    assert TableCodec.fit(frame, kinds={"c": "text"}).columns[0].categories == ("blue", "car", "red")
    codec = TableCodec.fit(FRAME, kinds={"review": "categorical"})
    assert codec.text_names == ()
    assert codec.categorical_names == ("review",)


def test_a_column_without_words_cannot_be_text():
    with pytest.raises(DataError, match=r"Column 'c' cannot be read as text: no word is in two rows\. Give another kind\."):
        TableCodec.fit(pd.DataFrame({"c": [f"x{i}" for i in range(30)]}), kinds={"c": "text"})


def test_rows_of_arrays_keep_their_words():
    arrays = TableCodec.fit(FRAME).transform(FRAME)
    part = arrays.take(np.array([5, 2]))
    np.testing.assert_array_equal(part.tokens[0].codes, arrays.tokens[0].codes[[5, 2]])
    assert part.vocabularies == arrays.vocabularies == (201,)
    assert len(part) == 2
