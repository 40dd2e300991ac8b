"""Fixtures for pytest: the decisions of a recording, held to stored ones. Installed as the plugin `gearshift`.

A whole test, `tests/test_evening.py`:

```python
from gearshift.pipeline import Settings
from gearshift.pipeline.testing import GIB, residency, rungs_of, samples_of, write_recording

LADDER = rungs_of(large=6 * GIB, small=2 * GIB)


def test_a_game_that_starts_is_answered_at_once(tmp_path, replay_decisions, assert_golden):
    others = [2 * GIB] * 60 + [9 * GIB] * 60
    story = [residency("large"), *samples_of(others, total=16 * GIB, own=6 * GIB)]
    file = write_recording(tmp_path / "evening.jsonl", story, ladder=LADDER, settings=Settings(critical=0.92))
    decisions = replay_decisions(file)
    assert [(decision.target, decision.urgency) for decision in decisions] == [("small", "immediate")]
    assert_golden(decisions, "golden/evening.json")
```

Here the test writes the recording, with all that it is decided by; for one of another machine, beside the test, it
would be `replay_decisions("evening.jsonl", LADDER, Settings(critical=0.92))`. A relative path starts at the test file,
or, where nothing is there, at pytest's root folder. The first run finds nothing to compare with, and says what to do:

```text
no golden file tests/golden/evening.json; to write it, run pytest --gearshift-update, then read it
```

`pytest --gearshift-update` writes it, a decision on each line with its sentence, and names what it wrote:

```text
gearshift wrote tests/golden/evening.json: 1 decision
```

From then on the test holds settings, ladder and gearshift itself to it. With `critical=0.90` it fails, and tells what
has changed, in fields and in words:

```text
tests/golden/evening.json: 1 decision differs (1 stored, 1 came)
decision 1, at 60 s
    reason.ceiling: 0.92 is stored, 0.9 came
    stored: Shift down from large to small, immediate: 15.00 GiB are in use, past the critical 92% of 16.00 GiB in ram …
    came:   Shift down from large to small, immediate: 15.00 GiB are in use, past the critical 90% of 16.00 GiB in ram …
If this is as it should be, rewrite the file by pytest --gearshift-update
```

`gearshift.pipeline.testing` is the guide to all that there is to test with.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

__all__ = ["AssertGolden", "ReplayDecisions", "assert_golden", "replay_decisions"]

if TYPE_CHECKING:
    from ..pipeline.loading import Recording
    from ..pipeline.rungs import Residency, Rung
    from ..pipeline.settings import Settings
    from ..pipeline.words import Decision

# on this floor, because pytest imports the plugin at every start and this package costs nothing to import; what the
# fixtures need is imported when one of them is first called

_UPDATE = "--gearshift-update"
_WRITTEN = "gearshift_golden"


class _InTest:
    """A relative path starts at the folder of the test file, or, where nothing is there, at pytest's root folder."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._folders = (request.path.parent, request.config.rootpath)

    def _found(self, path: str | Path) -> Path | None:
        return next((found for folder in self._folders if (found := folder / path).exists()), None)

    def _existing(self, what: str, path: str | Path) -> Path:
        found = self._found(path)
        if found is None:
            tried = " nor ".join(dict.fromkeys(str(folder / path) for folder in self._folders))
            raise FileNotFoundError(f"no {what} {str(path)!r}: there is no {tried}")
        return found


class ReplayDecisions(_InTest):
    """What the fixture `replay_decisions` gives."""

    def __call__(
        self,
        path: "str | Path | Recording",
        ladder: "Sequence[Rung] | str | Path | None" = None,
        settings: "Settings | None" = None,
        residencies: "Iterable[Residency] | None" = None,
    ) -> "list[Decision]":
        """All decisions over the recording `path`, or over one from `load`.

        ladder, settings, residencies: as in `gearshift.pipeline.replayed`, by default those that the recording names.
        Raises FileNotFoundError, RecordingError, and ValueError for a ladder that can't be used.
        """
        __tracebackhide__ = True
        from ..pipeline.replayed import replayed

        rungs = self._existing("ladder", ladder) if isinstance(ladder, str | Path) else ladder
        found = self._existing("recording", path) if isinstance(path, str | Path) else path
        return replayed(found, rungs, settings, residencies)


class AssertGolden(_InTest):
    """What the fixture `assert_golden` gives."""

    def __call__(self, decisions: "Iterable[Decision]", path: str | Path) -> None:
        """Fail unless the decisions are those in the file `path`; with `--gearshift-update`, write the file instead.

        Numbers agree within one part in 10⁹, everything else exactly; `explain` is for readers and isn't compared.
        A file that is missing is a failure.
        """
        __tracebackhide__ = True
        from ..pipeline import golden

        came = golden.lines_of(decisions)
        file = self._found(path) or self._folders[0] / path
        if self._request.config.getoption(_UPDATE):
            self._write(file, golden.golden_text(came), len(came))
            return
        if not file.exists():
            pytest.fail(f"no golden file {file}; to write it, run pytest {_UPDATE}, then read it", pytrace=False)
        try:
            told = golden.report(file, golden.read_golden(file), came)
        except golden.GoldenError as error:
            told = str(error)
        if told:
            pytest.fail(f"{told}\nIf this is as it should be, rewrite the file by pytest {_UPDATE}", pytrace=False)

    def _write(self, file: Path, text: str, count: int) -> None:
        if file.exists() and file.read_text("utf-8") == text:
            return
        from ..pipeline.replacing import replace_file

        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, text.encode())
        # properties travel with the test's report, so that they are told where the tests run in other processes, too
        self._request.node.user_properties.append((_WRITTEN, f"{file}: {count} decision{'s' if count != 1 else ''}"))


@pytest.fixture
def replay_decisions(request: pytest.FixtureRequest) -> ReplayDecisions:
    """`replay_decisions(path, ladder=None, settings=None, residencies=None)`: all decisions over a recording."""
    return ReplayDecisions(request)


@pytest.fixture
def assert_golden(request: pytest.FixtureRequest) -> AssertGolden:
    """`assert_golden(decisions, path)`: the decisions are those stored in a file."""
    return AssertGolden(request)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("gearshift").addoption(
        _UPDATE, action="store_true", help="write the golden files that assert_golden would compare with"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    kinds = ("passed", "failed", "xfailed", "xpassed")
    reports = [r for kind in kinds for r in terminalreporter.getreports(kind) if r.when == "call"]
    written = [value for report in reports for name, value in report.user_properties if name == _WRITTEN]
    for value in written:
        terminalreporter.write_line(f"gearshift wrote {value}")
