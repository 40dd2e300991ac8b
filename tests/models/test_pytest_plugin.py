"""The plugin in runs of pytest inside a test, as a user's tests meet it."""

import os
import re
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from gearshift.models import pytest_plugin
from gearshift.pipeline.testing import samples_of, write_recording

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[2]

TEST = """
from gearshift.pipeline import Rung, Settings

LADDER = [Rung("large", {"ram": 500}), Rung("small", {"ram": 100})]

def test_replay(replay_decisions, assert_golden):
    assert_golden(replay_decisions("run.jsonl", ladder=LADDER, settings=Settings(high=0.8)), "run.golden.json")
"""


class Project:
    """A user's project with a recording and a test on it, in a folder `tests` under pytest's root folder."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        # named by -p and not by its entry point, so that it doesn't matter here whether gearshift is installed anew
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        self._pytester = pytester
        self.root = pytester.path
        pytester.makeini("[pytest]")
        self.tests = pytester.mkdir("tests")
        self.write(TEST)
        self.record(self.tests / "run.jsonl")

    def write(self, text: str) -> None:
        (self.tests / "test_it.py").write_text(text, "utf-8")

    def record(self, file: Path, unit: int = 1) -> None:
        write_recording(file, samples_of([100 * unit] * 5, total=1000 * unit))

    @property
    def golden(self) -> Path:
        return self.tests / "run.golden.json"

    def run(self, *args: str) -> pytest.RunResult:
        return self._pytester.runpytest("-p", pytest_plugin.__name__, *args)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(pytester, monkeypatch)


def test_a_missing_golden_file_is_a_failure_that_says_how_to_write_it(project: Project) -> None:
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"no golden file {project.golden}; to write it, run pytest --gearshift-update*"])
    assert not project.golden.exists()


def test_update_writes_and_reports_and_from_then_on_the_test_passes(project: Project) -> None:
    result = project.run("--gearshift-update")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"gearshift wrote {project.golden}: 1 decision"])
    assert '"explain": "Shift up from nothing to large, planned: ' in project.golden.read_text()
    again = project.run()
    again.assert_outcomes(passed=1)
    again.stdout.no_fnmatch_line("*gearshift wrote*")


def test_update_reports_nothing_where_nothing_changed(project: Project) -> None:
    project.run("--gearshift-update")
    project.run("--gearshift-update").stdout.no_fnmatch_line("*gearshift wrote*")


def test_a_changed_decision_fails_with_what_is_stored_and_what_came(project: Project) -> None:
    project.run("--gearshift-update")
    project.golden.write_text(project.golden.read_text().replace('"large"', '"small"'))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        f"{project.golden}: 1 decision differs (1 stored, 1 came)",
        "decision 1, at 0 s",
        "    target: 'small' is stored, 'large' came",
        "    stored: Shift up from *",
        "    came:   Shift up from *",
        "If this is as it should be, rewrite the file by pytest --gearshift-update",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*Traceback*")
    project.run("--gearshift-update").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)


def test_a_damaged_golden_file_is_a_failure_that_names_it(project: Project) -> None:
    project.golden.write_text("[3]")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{project.golden}: not a file of golden decisions: *"])


def test_a_path_is_looked_up_beside_the_test_and_then_in_the_root_folder(project: Project) -> None:
    project.run("--gearshift-update")
    project.golden.rename(project.root / "run.golden.json")
    (project.tests / "run.jsonl").rename(project.root / "run.jsonl")
    project.run().assert_outcomes(passed=1)
    project.run("--gearshift-update")
    assert not project.golden.exists()
    (project.tests / "run.jsonl").write_text("found first, and no recording")
    result = project.run()
    result.stdout.fnmatch_lines([f"*RecordingError: {project.tests / 'run.jsonl'}:1: no format that is known*"])


def test_a_recording_that_is_nowhere_is_named_with_the_places_tried(project: Project) -> None:
    (project.tests / "run.jsonl").unlink()
    result = project.run()
    places = f"{project.tests / 'run.jsonl'} nor {project.root / 'run.jsonl'}"
    result.stdout.fnmatch_lines([f"*FileNotFoundError: no recording 'run.jsonl': there is no {places}"])


def test_a_ladder_may_be_a_file_beside_the_test(project: Project) -> None:
    project.run("--gearshift-update")
    rungs = [
        f'[[rung]]\nname = "{name}"\nneed = {{ ram = {need} }}\n' for name, need in (("large", 500), ("small", 100))
    ]
    (project.tests / "rungs.toml").write_text("".join(rungs))
    project.write(TEST.replace("ladder=LADDER", 'ladder="rungs.toml"'))
    project.run().assert_outcomes(passed=1)


def test_a_golden_file_may_lie_in_a_folder_that_update_makes(project: Project) -> None:
    project.write(TEST.replace("run.golden.json", "golden/run.json"))
    project.run("--gearshift-update").assert_outcomes(passed=1)
    assert (project.tests / "golden/run.json").exists()
    project.run().assert_outcomes(passed=1)


def test_the_example_in_the_readme_runs(project: Project) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "pipeline" / "README.md").read_text("utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "replay_decisions" in block]
    (name,) = re.findall(r'"(\w+\.jsonl)"', example)
    project.write(example)
    project.record(project.tests / name, unit=(20 << 30) // 1000)
    project.run("--gearshift-update").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)


class Example:
    """The test in the plugin's own text, in a folder of its own, run by pytest in a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (self.text,) = self._blocks("python")
        self.told = self._blocks("text")
        (root / "tests").mkdir()
        (root / "pytest.ini").write_text("[pytest]\n")
        self.write(self.text)

    @staticmethod
    def _blocks(kind: str) -> list[str]:
        return re.findall(rf"^```{kind}\n(.*?)^```", pytest_plugin.__doc__ or "", re.DOTALL | re.MULTILINE)

    def write(self, text: str) -> None:
        (self.root / "tests/test_evening.py").write_text(text)

    def run(self, *options: str) -> tuple[int, str]:
        """Exit status and output, with paths as in the text."""
        plugin = ("-p", pytest_plugin.__name__, "-p", "no:cacheprovider")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugin, *options],
            cwd=self.root, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout.replace(f"{self.root}/", "") + done.stderr


def test_the_example_in_the_text_of_the_plugin_fails_and_passes_as_it_says(tmp_path: Path) -> None:
    example = Example(tmp_path)
    missing, wrote, differs = example.told
    status, output = example.run()
    assert status == 1 and missing in output, output
    status, output = example.run("--gearshift-update")
    assert status == 0 and wrote in output, output
    status, output = example.run()
    assert status == 0 and "1 passed" in output, output
    example.write(example.text.replace("critical=0.92", "critical=0.90"))
    status, output = example.run()
    assert status == 1, output
    assert [line for line in differs.splitlines() if line.removesuffix(" …") not in output] == [], output
    example.run("--gearshift-update")
    assert example.run()[0] == 0


def test_the_entry_point_is_the_plugin() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    name, _, value = setup["options.entry_points"]["pytest11"].strip().partition(" = ")
    assert name == "gearshift"
    assert EntryPoint(name, value, "pytest11").load() is pytest_plugin


def test_the_fixtures_explain_themselves_in_the_list_of_fixtures(project: Project) -> None:
    result = project.run("--fixtures", "-q")
    for name, words in [
        ("replay_decisions", "all decisions over"),
        ("assert_golden", "the decisions are those stored"),
    ]:
        result.stdout.fnmatch_lines([f"{name} -- *", f"    `{name}(*)`: {words}*"])
