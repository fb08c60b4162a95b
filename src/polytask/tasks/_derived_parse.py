"""The grammar of derived targets: ``num>0 as presence``, ``log(price)``, ``bins(age, 30, 60) as age_group:multiclass``.

::

    target      = expression [" as " NAME] [":" KIND], the NAME bare or in quotes
    expression  = column OPERATOR value | FUNCTION "(" column {"," argument} ")"
    OPERATOR    = ">" | ">=" | "<" | "<=" | "==" | "!="
    FUNCTION    = "log" | "log1p" | "sqrt" | "bins" | "quantiles" | "onehot" | "split"
    column      = exact name of a column | the same in quotes | pattern

The exact name of a column always wins, whatever signs are in it: of all readings the one with the longest such name is taken.
Nothing here is ever evaluated as code.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from polytask.exceptions import TargetError
from polytask.tasks._column_names import guess, match, nearest, some
from polytask.tasks._derived import COMPARISONS, FUNCTIONS, TRANSFORMS, Derived
from polytask.tasks._infer import KINDS
from polytask.tasks._labels import as_number

_OPERATOR = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*")
_CALL = re.compile(r"\s*([A-Za-z_]\w*)\((.*)\)\s*", flags=re.DOTALL)
_STARTS_CALL = re.compile(rf"\s*(?:{'|'.join(FUNCTIONS)})\s*\(", flags=re.IGNORECASE)
_MOST_QUANTILES = 100


@dataclass(frozen=True)
class _Expression:
    """Columns (one, or those of a pattern), a function and its arguments as they are written."""

    columns: list[str]
    function: str
    arguments: list[str]


def parse_derived(spec: str, columns: Sequence[str]) -> list[tuple[Derived, str]] | None:
    """Read a target as an expression over one column.

    Parameters
    ----------
    spec : str
        Not itself the name of a column.
    columns : sequence of str
        Column names of the table.

    Returns
    -------
    derived : list of (Derived, kind), or None
        One for each column of a pattern, with the kind that is said or else that of the function; None if it is no expression.

    Raises
    ------
    TargetError
        If it is an expression, but a column, function, argument or name in it cannot be used.

    Examples
    --------
    >>> parse_derived("num>0 as presence", ["num"])
    [(Derived(name='presence', source='num', function='>', arguments=(0.0,)), 'binary')]
    >>> parse_derived("price:count", ["price"]) is None
    True
    """
    body, kind = _split_kind(spec)
    if body in columns or match(body, columns):
        return None
    if not kind:
        _check_kind(spec, columns)
    for text, name in _readings(body):
        expression = _expression(spec, text, columns)
        if expression is not None:
            return _named(spec, expression, name, kind, columns)
    return None


def unknown_expression(spec: str, columns: Sequence[str]) -> TargetError | None:
    """The error of words that look like an expression and are none; None if they do not look like one."""
    body, _ = _split_kind(spec)
    text, _ = _readings(body)[0]
    if _STARTS_CALL.match(text) and text.count("(") > text.count(")"):
        return TargetError(f"Target {spec!r} lacks a closing bracket. Write such as '{text.rstrip()})'.")
    call = _CALL.fullmatch(text)
    if call and (call[2].strip() in columns or not nearest(body, columns)):
        return TargetError(
            f"Target {spec!r} uses the unknown function {call[1]!r}. {guess(call[1], FUNCTIONS, what='Functions')}"
        )
    operator = _outside_quotes(_OPERATOR, text)
    if operator and ":" not in text[: operator.start()]:  # else it is an order of classes or an unknown kind
        return _no_column(spec, text[: operator.start()].strip(), columns)
    left, equals, right = body.partition("=")
    if equals and left.strip() in columns:
        return TargetError(f"Target {spec!r} cannot be read. If it compares, write '{left.strip()}=={right.strip()}'.")
    return None


def _split_kind(spec: str) -> tuple[str, str]:
    body, colon, kind = spec.rpartition(":")
    return (body.strip(), kind) if colon and kind in KINDS else (spec.strip(), "")


def _check_kind(spec: str, columns: Sequence[str]) -> None:
    """Raise where something like a kind follows an expression that can be read without it."""
    head, _, kind = spec.rpartition(":")
    close = nearest(kind, KINDS)
    if close and any(_expression(spec, text, columns) for text, _ in _readings(head)):
        kinds = ", ".join(KINDS)
        raise TargetError(f"Target {spec!r} has the unknown kind {kind!r}; the kinds are {kinds}. Did you mean {close[0]!r}?")


def _readings(body: str) -> list[tuple[str, str | None]]:
    """With and without a name after the last ``as``."""
    names = list(re.finditer(r"\sas(?:\s+|$)", _masked(body)))
    return [*([(body[: names[-1].start()], _unquoted(body[names[-1].end() :]))] if names else []), (body, None)]


def _expression(spec: str, text: str, columns: Sequence[str]) -> _Expression | None:
    return _call(spec, text, columns) or _comparison(spec, text, columns)


def _comparison(spec: str, text: str, columns: Sequence[str]) -> _Expression | None:
    text = text.strip()
    exact = [c for c in columns if text.startswith(c) and _OPERATOR.match(text, len(c))]
    if exact:
        end = len(max(exact, key=len))
        names, operator = [text[:end]], _OPERATOR.match(text, end)
    else:
        operator = _outside_quotes(_OPERATOR, text)
        if operator is None:
            return None
        left = text[: operator.start()]
        names = [_unquoted(left)] if _unquoted(left) in columns else match(left, columns)
        if not names:
            return None  # perhaps something else; see `unknown_expression`
    assert operator is not None
    value = text[operator.end() :].strip()
    if not value:
        raise TargetError(
            f"Target {spec!r} compares column {names[0]!r} with nothing. Write a number or a class after {operator[1]!r}."
        )
    return _Expression(names, operator[1], [value])


def _call(spec: str, text: str, columns: Sequence[str]) -> _Expression | None:
    call = _CALL.fullmatch(text)
    if call is None or call[1] not in FUNCTIONS:
        return None
    inside = call[2].strip()
    exact = [c for c in columns if inside.startswith(c) and re.match(r"\s*(,|$)", inside[len(c) :])]
    end = len(max(exact, key=len)) if exact else next(iter(_commas(inside)), len(inside))
    name, rest = inside[:end].strip(), inside[end:].lstrip()
    named = [name] if name in columns else [_unquoted(name)] if _unquoted(name) in columns else match(name, columns)
    if not named:
        if _CALL.fullmatch(name):
            raise TargetError(f"Target {spec!r} has a function within a function; only a column can stand there.")
        if not name:
            raise TargetError(f"Target {spec!r} names no column. {guess(name, columns, what='Columns')}")
        raise _no_column(spec, name, columns)
    return _Expression(named, call[1], _pieces(rest[1:]) if rest else [])


def _named(spec: str, found: _Expression, name: str | None, kind: str, columns: Sequence[str]) -> list[tuple[Derived, str]]:
    if name is not None and not name.strip():
        raise TargetError(f"Target {spec!r} gives an empty name. Write a name after 'as', or leave 'as' out.")
    if name is not None and len(found.columns) > 1:
        raise TargetError(
            f"Target {spec!r} gives one name to the tasks of {len(found.columns)} columns, {some(found.columns, 4)}. "
            "Leave 'as' out, or name one column."
        )
    arguments = _arguments(spec, found)
    made = []
    for column in found.columns:
        derived = Derived(name or "", column, found.function, arguments)
        is_prefix = found.function in ("onehot", "split")  # of the names of its parts
        called = name or (column if is_prefix else derived.text)
        if called in columns and not is_prefix:
            raise TargetError(f"The name {called!r} of target {spec!r} is a column of the table already. Choose another name.")
        made.append((replace(derived, name=called), kind or derived.kind))
    return made


def _arguments(spec: str, found: _Expression) -> tuple[Any, ...]:
    """Arguments in the type that the function needs."""
    given, function = found.arguments, found.function
    if function in ("==", "!="):
        return (_unquoted(given[0]),)
    if function in COMPARISONS:
        return (_number(spec, given[0], f"{function!r} compares with a number"),)
    if (function in TRANSFORMS or function == "onehot") and given:
        raise TargetError(f"Target {spec!r}: '{function}' takes a column and nothing else; got {some(given)} too.")
    if function == "bins":
        edges = tuple(_number(spec, edge, "the edges of 'bins' are numbers") for edge in given)
        if not edges or any(low >= high for low, high in pairwise(edges)):
            got = ", ".join(given) or "no edge"
            raise TargetError(f"Target {spec!r}: 'bins' needs edges that rise, such as 'bins(age, 30, 60)'; got {got}.")
        return edges
    if function == "quantiles":
        number = as_number(given[0]) if len(given) == 1 else None
        if number is None or number % 1 or not 2 <= number <= _MOST_QUANTILES:
            got = ", ".join(given) or "nothing"
            raise TargetError(f"Target {spec!r}: 'quantiles' needs a number of bins from 2 to {_MOST_QUANTILES}; got {got}.")
        return (number,)
    if len(given) > 1 or (given and not _unquoted(given[0])):
        raise TargetError(f"Target {spec!r}: 'split' takes a column and what stands between tags, such as 'split(tags, \"|\")'.")
    return tuple(_unquoted(text).replace("\\t", "\t") for text in given)


def _number(spec: str, text: str, needs: str) -> float:
    number = as_number(text)
    if number is None:
        raise TargetError(f"Target {spec!r}: {needs}; got {text!r}.")
    return number


def _no_column(spec: str, name: str, columns: Sequence[str]) -> TargetError:
    return TargetError(f"The column {name!r} of target {spec!r} is not in the table. {guess(name, columns, what='Columns')}")


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _masked(text: str) -> str:
    """The text with what is in quotes blotted out, so that signs in it are not seen; of the same length."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", lambda quoted: "_" * len(quoted[0]), text)


def _outside_quotes(pattern: "re.Pattern[str]", text: str) -> "re.Match[str] | None":
    return pattern.search(_masked(text))


def _commas(text: str) -> list[int]:
    return [k for k, character in enumerate(_masked(text)) if character == ","]


def _pieces(text: str) -> list[str]:
    ends = [*_commas(text), len(text)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
