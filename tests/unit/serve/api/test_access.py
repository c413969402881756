"""Tokens: made once, private, told apart, never shown."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from actors.domain.errors import ConfigError
from serve.api.access import Tokens, token_path, tokens

R, A = "r" * 40, "a" * 40


def test_missing_tokens_are_made_private_and_kept(tmp_path: Path) -> None:
    made = tokens(tmp_path, {})
    for role in ("reader", "admin"):
        path = token_path(tmp_path, role)
        assert path.stat().st_mode & 0o777 == 0o600
        text = path.read_text()
        assert len(text) >= 40
        assert made.role(f"Bearer {text}") == role
        assert tokens(tmp_path, {}).role(f"bearer {text}") == role
    assert token_path(tmp_path, "reader").read_text() != token_path(tmp_path, "admin").read_text()


def test_the_environment_comes_before_files(tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_text(A + "\n")
    made = tokens(tmp_path, {"TRADEWIND_SERVE_TOKEN": R, "TRADEWIND_SERVE_ADMIN_TOKEN_FILE": str(file)})
    assert (made.role(f"Bearer {R}"), made.role(f"Bearer {A}")) == ("reader", "admin")
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", f"Basic {R}", R, f"Bearer {R}x", f"Bearer {R[:-1]}", f"Bearer {R} {R}"]
)  # fmt: skip
def test_nobody_else_gets_in(header: str | None) -> None:
    assert Tokens(R, A).role(header) is None


@pytest.mark.parametrize(
    ("env", "match"),
    [
        ({"TRADEWIND_SERVE_TOKEN": "short"}, "at least 32 characters, found 5"),
        ({"TRADEWIND_SERVE_TOKEN": R, "TRADEWIND_SERVE_ADMIN_TOKEN": R}, "two different tokens"),
        ({"TRADEWIND_SERVE_TOKEN": R, "TRADEWIND_SERVE_TOKEN_FILE": "x"}, "found both"),
        ({"TRADEWIND_SERVE_TOKEN_FILE": "/nothere"}, "expected a readable text file"),
    ],
)
def test_bad_tokens_are_refused_without_showing_them(tmp_path: Path, env: dict[str, str], match: str) -> None:
    with pytest.raises(ConfigError, match=match) as caught:
        tokens(tmp_path, env)
    assert R not in str(caught.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    tokens(tmp_path, {})
    path = token_path(tmp_path, "admin")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="0600") as caught:
        tokens(tmp_path, {})
    assert path.read_text() not in str(caught.value)


def test_tokens_do_not_show_themselves() -> None:
    made = Tokens(R, A)
    assert R not in repr(made) + str(vars(made))
    assert A not in repr(made) + str(vars(made))


def test_who_starts_at_the_same_moment_takes_the_token_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process makes its tokens while this one is about to write its own."""
    other: list[Tokens] = []
    real = secrets.token_urlsafe

    def while_making(size: int) -> str:
        if not other:
            monkeypatch.setattr(secrets, "token_urlsafe", real)
            other.append(tokens(tmp_path, {}))
        return real(size)

    monkeypatch.setattr(secrets, "token_urlsafe", while_making)
    mine = tokens(tmp_path, {})
    for role in ("reader", "admin"):
        header = f"Bearer {token_path(tmp_path, role).read_text()}"
        assert (mine.role(header), other[0].role(header)) == (role, role)
