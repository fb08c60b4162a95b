"""A package that is not installed is named with the line that installs it."""

import sys

import pytest

from polytask._optional import MissingExtraError, import_optional
from polytask.exceptions import PolytaskError


def test_a_missing_package_is_told_with_its_extra():
    with pytest.raises(MissingExtraError, match=r'Serving needs not_there.*pip install "polytask\[serve\]"'):
        import_optional("not_there.inside", extra="serve", feature="Serving")


def test_the_error_is_ours_and_an_import_error():
    assert issubclass(MissingExtraError, PolytaskError)
    assert issubclass(MissingExtraError, ImportError)


def test_an_error_inside_an_installed_package_is_not_hidden(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_there") as caught:
        import_optional("half_installed", extra="serve", feature="Serving")
    assert not isinstance(caught.value, MissingExtraError)
    sys.modules.pop("half_installed", None)
