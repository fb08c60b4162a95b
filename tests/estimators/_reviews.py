"""A table with free text, lists and very many categories."""

import numpy as np
import pandas as pd

FILL = [f"filler{k}" for k in range(150)]
GOOD, BAD = ["good", "great", "lovely"], ["bad", "awful", "broken"]


def reviews(n=400, seed=0):
    """A text that tells ``liked``, lists that tell ``price``, a user whose mean is part of ``price``; some of all missing."""
    rng = np.random.default_rng(seed)
    liked = rng.integers(0, 2, n)
    texts = [" ".join(rng.permutation([*rng.choice(FILL, 8), *rng.choice(GOOD if k else BAD, 2)])) for k in liked]
    tags = [[tag for tag in ("sea", "park", "lift") if rng.random() < 0.5] for _ in range(n)]
    user = rng.integers(0, 100, n)
    effect = np.random.default_rng(1).normal(size=100)
    X = pd.DataFrame({"review": texts, "tags": pd.Series(tags, dtype=object), "user": [f"u{k}" for k in user]})
    y = pd.DataFrame({"liked": liked, "price": [2 * ("sea" in own) for own in tags] + effect[user] + 0.1 * rng.normal(size=n)})
    X.loc[rng.random(n) < 0.05, "review"] = None
    X.loc[rng.random(n) < 0.05, "tags"] = None
    return X, y
