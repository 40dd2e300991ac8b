"""What CONTRIBUTING promises under each fault is proved by tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAD = "| fault | what is promised | proved by |"


def rows() -> list[tuple[str, str, str]]:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    lines = [line for line in text.partition(HEAD)[2].splitlines()[2:] if line]
    table = [line for line in lines if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    assert all(len(row) == 3 for row in cells), [row for row in cells if len(row) != 3]
    return [(fault, promise, proof) for fault, promise, proof in cells]


def test_there_is_a_promise_for_each_kind_of_fault() -> None:
    assert len(rows()) > 30
    assert len({fault for fault, _, _ in rows()}) == len(rows())


@pytest.mark.parametrize(("fault", "promise", "proof"), rows())
def test_each_promise_names_tests_that_there_are(fault: str, promise: str, proof: str) -> None:
    assert fault and promise
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", proof)
    assert named
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(), f"{file} has no {test}"
