"""Doctests of every module, the house rules, and the README's claims."""

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from gearshift.operators.testing import run

ROOT = Path(__file__).parents[1]
FLOORS = ("operators", "pipeline", "models")
READMES = [ROOT / "README.md", *(ROOT / floor / "README.md" for floor in FLOORS)]


def modules() -> list[str]:
    files = [f for floor in FLOORS for f in sorted((ROOT / floor).rglob("*.py"))]
    names = [".".join(("gearshift", *f.relative_to(ROOT).with_suffix("").parts)) for f in files]
    return [n.removesuffix(".__init__") for n in names]


@pytest.mark.parametrize("name", modules())
def test_doctests(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_every_operator_has_a_doctest_a_marble_and_a_source() -> None:
    from gearshift import operators as gs

    for name in (n for n in gs.__all__ if n.islower()):
        operator = getattr(gs, name)
        parts = ["    >>> ", "--|", "Source: ", "Returns:"]
        if parameters := inspect.signature(operator).parameters:
            parts += ["Args:", "Raises:", *(f"        {p}: " for p in parameters)]
        assert [part for part in parts if part not in operator.__doc__] == [], name


@pytest.mark.parametrize("name", ["debounce", "stabilize", "cooldown", "rate_limit", "hysteresis"])
def test_marbles_show_what_the_operator_does(name: str) -> None:
    from gearshift import operators as gs

    marble = re.search(r"values: +(-.*)\n +(\w+\(.*?\)).*\n +\w+: +(-.*)", getattr(gs, name).__doc__)
    assert marble is not None
    above, call, below = marble.groups()
    frames = list(re.finditer(r"[.\w]+", above))
    items = [gs.Stamped(t, _literal(frame[0])) for t, frame in enumerate(frames)]
    shown = [
        gs.Stamped(
            next(t for t, frame in enumerate(frames) if frame.start() <= out.start() < frame.end()), _literal(out[0])
        )
        for out in re.finditer(r"[.\w]+", below)
    ]
    assert shown == run(eval(call, vars(gs)), items)


def _literal(text: str) -> float | bool:
    return {"F": False, "T": True}.get(text) if text in "FT" else float(text)


@pytest.mark.parametrize("floor", FLOORS)
def test_rooms_are_small_and_imports_run_downward(floor: str) -> None:
    above = FLOORS[FLOORS.index(floor) + 1 :]
    for file in (ROOT / floor).rglob("*.py"):
        text = file.read_text()
        assert len(text.splitlines()) <= 300, file
        code = without_docstrings(text)
        for higher in above:
            assert not re.search(rf"^\s*from \.+{higher}|gearshift\.{higher}", code, re.MULTILINE), (file, higher)


def without_docstrings(text: str) -> str:
    """The code alone: a docstring may point to a floor above, whose examples show how both work together."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


@pytest.mark.parametrize(
    ("imported", "banned"),
    [
        ("gearshift.pipeline", ("torch", "transformers", "gearshift.models")),
        ("gearshift.pipeline.testing", ("torch", "transformers", "pytest", "gearshift.models")),
        ("gearshift.operators", ("torch", "psutil", "msgspec", "numpy", "gearshift.pipeline")),
        ("gearshift.operators.testing", ("torch", "psutil", "msgspec", "numpy", "pytest", "gearshift.pipeline")),
        ("gearshift.models.commands.cli", ("torch", "transformers", "reactivex")),
        ("gearshift.models.pytest_plugin", ("torch", "reactivex", "psutil", "msgspec", "gearshift.pipeline")),
    ],
)
def test_imports_stay_light(imported: str, banned: tuple[str, ...]) -> None:
    code = f"import sys, {imported}; print([m for m in {banned!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def readme_blocks(language: str) -> list[str]:
    return [block for file in READMES for block in re.findall(rf"```{language}\n(.*?)```", file.read_text(), re.DOTALL)]


def test_the_readme_sessions_print_what_they_say() -> None:
    sessions = readme_blocks("pycon")
    assert sessions
    for text in sessions:
        session = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0)
        assert doctest.DocTestRunner().run(session).failed == 0


def test_the_readme_code_compiles_and_names_what_exists() -> None:
    blocks = readme_blocks("python")
    assert blocks
    for block in blocks:
        compile(block, "README.md", "exec")
        for line in block.splitlines():
            if line.startswith(("from ", "import ")):
                exec(line, {})


def test_the_readme_ladders_hold_keys_and_values_that_are_taken() -> None:
    import msgspec
    from gearshift.models import ModelSpec
    from gearshift.models.ladders.ladder_checks import check_words

    blocks = readme_blocks("toml")
    tables = [table for block in blocks for table in tomllib.loads(block).get("rung", []) if "need" not in table]
    specs = [msgspec.convert(table, ModelSpec) for table in tables]
    assert len(specs) == 3
    for spec in specs:
        check_words("README.md", spec)
    assert {key for table in tables for key in table} == set(ModelSpec.__struct_fields__) - {"need"}


def test_the_readme_ladder_of_needs_is_the_one_that_its_example_is_made_with(tmp_path: Path) -> None:
    from gearshift.models.commands.ladder_input import rungs_in
    from gearshift.pipeline import Rung

    (block,) = (block for block in readme_blocks("toml") if block.startswith("# sizes"))
    file = tmp_path / "sizes.toml"
    file.write_text(block)
    large, small = (
        Rung("large", {"ram": 18_500_000_000}, quality=1.0),
        Rung("small", {"ram": 4_000_000_000}, quality=0.7),
    )
    assert rungs_in(file) == [large, small]


def test_the_files_that_the_readme_names_are_there() -> None:
    text = "".join(file.read_text() for file in READMES)
    named = re.findall(r"`((?:models|pipeline|operators|tests)/[\w/.]+)`", text)
    assert named and [name for name in named if not (ROOT / name).exists()] == []
