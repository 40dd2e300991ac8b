"""How a reply runs over the terminal."""

import pytest
from gearshift.models.commands.flowing import Flowing


def shown(capsys: pytest.CaptureFixture[str], *pieces: str, talking: bool = True) -> str:
    flowing = Flowing(talking=talking)
    for piece in pieces:
        flowing.write(piece)
    flowing.end()
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "12")


def test_words_are_not_broken_however_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    text = "the objects in the universe, and\n  more of them"
    broken = "the objects\nin the\nuniverse,\nand\n  more of\nthem\n"
    assert shown(capsys, text) == shown(capsys, *text) == shown(capsys, text[:8], text[8:]) == broken


def test_a_line_may_fill_the_terminal_to_its_last_column(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "twelve cells in") == "twelve cells\nin\n"
    assert shown(capsys, "thirteen cell") == "thirteen\ncell\n"


def test_a_word_comes_as_soon_as_it_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    flowing = Flowing(talking=True)
    flowing.write("one tw")
    assert capsys.readouterr().out == "one"
    flowing.write("o ")
    assert capsys.readouterr().out == " two"


def test_writing_without_blanks_is_broken_anywhere_and_not_held_back(capsys: pytest.CaptureFixture[str]) -> None:
    flowing = Flowing(talking=True)
    flowing.write("重力是一種自然現象")
    assert capsys.readouterr().out == "重力是一種自\n然現"


def test_what_goes_to_a_file_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    text = "the objects in the universe"
    assert shown(capsys, text, talking=False) == f"{text}\n"


@pytest.mark.parametrize("talking", [True, False])
def test_what_would_steer_a_terminal_is_not_printed(capsys: pytest.CaptureFixture[str], talking: bool) -> None:
    assert shown(capsys, "a\x1b[31mb\n\tc\x07\x9b", talking=talking) == "a[31mb\n\tc\n"
