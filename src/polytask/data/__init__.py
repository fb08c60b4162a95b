"""Tables: files and frames in, kinds of columns, arrays out.

A file or frame becomes a pandas frame; a :class:`TableCodec` learns its schema (kinds, vocabularies) and turns frames into
``numeric`` float64 [n, n_numeric] and ``categorical`` int64 [n, n_categorical].

>>> import pandas as pd
>>> from polytask.data import TableCodec
>>> frame = pd.DataFrame({"area": [50.0, None, 71.5], "city": ["Oslo", "Bergen", "Oslo"]})
>>> codec = TableCodec.fit(frame)
>>> [(info.name, info.kind) for info in codec.columns]
[('area', 'numeric'), ('city', 'categorical')]
>>> arrays = codec.transform(frame)
>>> arrays.numeric.shape, arrays.categorical.ravel().tolist()
((3, 1), [3, 2, 3])
"""

from polytask.data._arrays import TableArrays, TokenColumn
from polytask.data._audit import Audit, audit, rare_classes
from polytask.data._codec import TableCodec
from polytask.data._columns import ColumnInfo, infer_column
from polytask.data._drift import Drift, drift, is_clear_drift
from polytask.data._frames import like, to_pandas
from polytask.data._leakage import perfect_copies
from polytask.data._names import did_you_mean
from polytask.data._read import ReadTable, read_table, written_texts
from polytask.data._spellings import spelling_variants
from polytask.data._stack import Stacked, stack

__all__ = [
    "Audit",
    "ColumnInfo",
    "Drift",
    "ReadTable",
    "Stacked",
    "TableArrays",
    "TableCodec",
    "TokenColumn",
    "audit",
    "did_you_mean",
    "drift",
    "infer_column",
    "is_clear_drift",
    "like",
    "perfect_copies",
    "rare_classes",
    "read_table",
    "spelling_variants",
    "stack",
    "to_pandas",
    "written_texts",
]
