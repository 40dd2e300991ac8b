"""What holds for each example: short, public names only, and a text that says how it is run and what to change."""

import ast
import importlib
from pathlib import Path

import pytest

from .examples import FOLDER, program

README = FOLDER.parents[1] / "README.md"
EXAMPLES = sorted(FOLDER.glob("*.py"))
PUBLIC = ("gearshift.operators", "gearshift.pipeline", "gearshift.models", "gearshift.models.hosts")
each = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def test_there_is_one_for_each_way_of_embedding() -> None:
    assert [path.stem for path in EXAMPLES] == ["operators_only", "other_backend", "script", "service", "window"]


@each
def test_an_example_is_under_sixty_lines_and_says_how_it_is_run_and_what_to_change(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 60
    told = ast.get_docstring(ast.parse(text)) or ""
    assert f"python notebooks/embedding/{path.name}" in told and "To change: " in told


@each
def test_an_example_imports_public_names_only(path: Path) -> None:
    taken = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    ours = [
        (node.module or "", alias.name) for node in taken for alias in node.names if "gearshift" in str(node.module)
    ]
    assert ours
    for room, name in ours:
        if (room, name) not in (("gearshift", "operators"), ("gearshift.models.hosts.inline", "InlineHost")):
            assert room in PUBLIC and name in importlib.import_module(room).__all__, (room, name)


def test_the_script_holds_a_conversation_and_says_who_answered(ladder: Path, tmp_path: Path) -> None:
    done = program("script", ladder, cache=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split("\n")) == 3 and set(done.stdout) <= set("abc \n")  # two replies, and nothing else
    assert done.stderr.count("(100 tokens from large in ") == 2


def test_the_script_ends_with_the_reason_where_it_can_not_begin(tmp_path: Path) -> None:
    done = program("script", tmp_path / "absent.toml", cache=tmp_path)
    assert done.returncode == 1 and "absent.toml: can't be read" in done.stderr and "Traceback" not in done.stderr


def test_the_operators_find_a_lasting_rise_in_a_kept_series_and_import_nothing_else(tmp_path: Path) -> None:
    series = tmp_path / "series.txt"
    rise_and_fall = [0.3 + 0.01 * i for i in range(60)] + [0.9 - 0.012 * i for i in range(60)]
    series.write_text("".join(f"{i / 2} {value}\n" for i, value in enumerate(rise_and_fall)))
    done = program("operators_only", series, cache=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    told = [line.split() for line in lines if line.endswith(("fine", "filling up"))]
    assert [line[2:] for line in told] == [["fine"], ["filling", "up"], ["fine"]] and len(lines) == 123
    # 80 % is to come in 10 s when it is 60 %, at 15 s, and that has lasted at 17 s
    assert told[1][0] == "17.0"
    assert done.stderr.splitlines()[-1] == "[]"


def test_the_operators_end_with_the_error_of_a_series_that_is_none(tmp_path: Path) -> None:
    series = tmp_path / "series.txt"
    series.write_text("0 much\n")
    done = program("operators_only", series, cache=tmp_path)
    assert done.returncode != 0 and "could not convert string to float: 'much'" in done.stderr


@pytest.mark.parametrize(
    ("name", "command"), [("service", "pip install 'gearshift[serve]'"), ("other_backend", "pip install xllamacpp")]
)
def test_what_an_example_needs_beyond_gearshift_is_told_in_it_and_on_the_front_page(name: str, command: str) -> None:
    (row,) = (line for line in README.read_text("utf-8").splitlines() if line.startswith(f"| [{name}.py]"))
    assert command in row and command in (ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text())) or "")


def test_the_other_examples_need_only_what_gearshift_brings() -> None:
    for path in EXAMPLES:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        names = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        beyond = {name.partition(".")[0] for name in names} & {"fastapi", "uvicorn", "xllamacpp"}
        assert bool(beyond) == (path.stem in ("service", "other_backend")), path
