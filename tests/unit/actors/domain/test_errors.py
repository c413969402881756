"""Every error of the tree survives the way to another process with code, text and context."""

import pickle

import pytest

from actors.domain import errors


def _tree(cls: type[errors.TradingError]) -> list[type[errors.TradingError]]:
    return [cls, *(c for sub in cls.__subclasses__() for c in _tree(sub) if c.__module__ == errors.__name__)]


ALL = list(dict.fromkeys(_tree(errors.TradingError)))


def test_the_tree_is_the_module() -> None:
    public = {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, Exception)}
    assert set(ALL) == public
    assert len(ALL) > 25


@pytest.mark.parametrize("cls", ALL, ids=lambda c: c.__name__)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_an_error_survives_pickling(cls: type[errors.TradingError], protocol: int) -> None:
    error = cls("SOME_CODE", "expected 1, found 2", retryable=True, row=7, pair="BTC/USDT")
    found = pickle.loads(pickle.dumps(error, protocol=protocol))
    assert type(found) is cls
    assert (found.code, found.message, found.retryable) == ("SOME_CODE", "expected 1, found 2", True)
    assert found.context == {"row": 7, "pair": "BTC/USDT"}
    assert str(found) == "expected 1, found 2 [SOME_CODE]"
    assert found.args == error.args


@pytest.mark.parametrize("cls", ALL, ids=lambda c: c.__name__)
def test_every_class_says_what_it_means_and_exits_with_a_code(cls: type[errors.TradingError]) -> None:
    assert cls.__doc__
    assert cls.exit_code in (2, 3, 4, 5)
