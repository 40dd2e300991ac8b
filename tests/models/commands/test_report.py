import json
from pathlib import Path

import msgspec
import pytest
from gearshift.pipeline import Decision, Header, Reason, load
from gearshift.pipeline.replayed import rungs_from

from .command import gearshift, imported, said

LEAK = Path(__file__).parents[2] / "recordings" / "leak.jsonl"
LADDER = """
[[rung]]
name = "large"
need = { ram = 18_500_000_000 }

[[rung]]
name = "small"
need = { ram = 4_000_000_000 }
"""


@pytest.fixture
def ladder(tmp_path: Path) -> Path:
    file = tmp_path / "ladder.toml"
    file.write_text(LADDER)
    return file


def test_a_date_that_no_calendar_has_is_left_out(tmp_path: Path) -> None:
    far = tmp_path / "far.jsonl"
    line = '{{"record":"sample","time":{}.0,"pools":{{"ram":{{"total":100,"used":5}}}},"wall":1e300}}\n'
    far.write_text('{"gearshift_recording":1}\n' + "".join(map(line.format, range(3))))
    done = gearshift("report", far, "-o", tmp_path / "far.html")
    assert done.returncode == 0 and 'id="began"' not in (tmp_path / "far.html").read_text()


def test_report_simulates_with_a_ladder_and_compares(tmp_path: Path, ladder: Path) -> None:
    page = tmp_path / "page.html"
    done = gearshift("report", LEAK, "--ladder", ladder, "--load-time", "3", "--compare", "-o", page, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["report"], told["bytes"], told["samples"]) == (str(page), page.stat().st_size, 97)
    assert told["simulated"] and told["decisions"] == 2 and len(told["compared"]) == 9
    assert {"torch", "transformers"} & set(imported(done)) == set()


def test_a_recording_with_decisions_shows_these_and_is_simulated_only_with_another_ladder(
    tmp_path: Path, ladder: Path
) -> None:
    rungs, file, page = rungs_from(ladder), tmp_path / "run.jsonl", tmp_path / "page.html"
    samples = load(LEAK).samples
    decided = Decision("upgrade", None, "small", "planned", samples[0].time, Reason("fits"))
    for lines, simulated, count in (([], True, 2), ([decided], False, 1)):
        written = [Header(1, ladder=tuple(rungs)), *samples[:1], *lines, *samples[1:]]
        file.write_bytes(b"\n".join(map(msgspec.json.encode, written)) + b"\n")
        told = json.loads(gearshift("report", file, "--load-time", "3", "-o", page, "--json").stdout)
        assert (told["simulated"], told["decisions"]) == (simulated, count)
    told = json.loads(gearshift("report", file, "--ladder", ladder, "--load-time", "3", "-o", page, "--json").stdout)
    assert (told["simulated"], told["decisions"]) == (True, 2)


def test_report_without_a_ladder_shows_memory_and_says_so(tmp_path: Path) -> None:
    done = gearshift("report", LEAK, "-o", tmp_path / "page.html")
    assert done.returncode == 0 and done.stdout.startswith(f"{tmp_path / 'page.html'}: ")
    assert "memory only, as no ladder is known" in done.stdout
    assert "No ladder is known" in (tmp_path / "page.html").read_text()


def test_report_compares_with_a_ladder_only(tmp_path: Path) -> None:
    done = gearshift("report", LEAK, "--compare", "-o", tmp_path / "page.html")
    assert done.returncode == 2 and "names no ladder to simulate with; pass --ladder FILE" in said(done)


def test_report_keeps_what_is_no_report(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("my thesis")
    done = gearshift("report", LEAK, "-o", page)
    assert (done.returncode, page.read_text()) == (1, "my thesis")
    assert (
        said(done)
        == f"gearshift report: {page} is there and no report of gearshift; name another file, or pass --force"
    )
    assert gearshift("report", LEAK, "-o", page, "--force").returncode == 0


def test_report_never_replaces_its_recording(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_bytes(LEAK.read_bytes())
    assert gearshift("report", file, "-o", file, "--force").returncode == 1
    assert file.read_bytes() == LEAK.read_bytes()


def test_report_tells_what_it_cannot_read(tmp_path: Path) -> None:
    done = gearshift("report", tmp_path / "absent.jsonl", "-o", tmp_path / "page.html")
    assert done.returncode == 1 and "name a recording that can be read" in said(done)
    assert gearshift("report", LEAK, "-o", tmp_path / "absent" / "page.html").returncode == 1


def test_report_tells_of_a_decision_of_no_known_kind(tmp_path: Path) -> None:
    run = tmp_path / "odd.jsonl"
    odd = '{"record":"decision","kind":"sideways","source":null,"target":"a",'
    odd += '"urgency":"planned","time":1.0,"reason":{"rule":"fits"}}'
    sample = '{"record":"sample","time":0.0,"pools":{"ram":{"total":1000,"used":1}}}'
    run.write_text(f'{{"gearshift_recording":1}}\n{sample}\n{odd}\n')
    done = gearshift("report", run, "-o", tmp_path / "page.html")
    assert (done.returncode, done.stdout) == (1, "")
    assert said(done).startswith("gearshift report: odd.jsonl: a decision of the kind 'sideways'")
