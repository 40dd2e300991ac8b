"""The page as a file."""

import json
import re
import stat
from pathlib import Path

import pytest
from gearshift.pipeline import Decision, Pool, Reason, Recording, Residency, Sample, Settings, load, simulate
from gearshift.pipeline.views.report import write_report
from gearshift.pipeline.views.report.embedding import embedded
from gearshift.pipeline.views.report.histogram import histogram
from gearshift.pipeline.views.timeline import timeline

from .conftest import GIB, LADDER, LEAK


def at(*times: float) -> Recording:
    samples = [Sample(time, {"ram": Pool(10 * GIB, GIB)}) for time in times]
    return Recording(Path("run.jsonl"), "gearshift", samples, header=None, skipped=0)


def test_the_page_names_the_recording_its_shifts_and_its_settings(leak: Path) -> None:
    text = re.sub(r"<script.*?</script>", "", leak.read_text(), flags=re.DOTALL)
    for part in ("<h1>leak.jsonl, simulated</h1>", "97 samples over 48.0 s", "8.5 s</td>", "the leak begins"):
        assert part in text, part
    assert "<dt>stabilisation</dt><dd>300</dd>" in text
    assert text.count("<caption>") == text.count("<table>") == 3


def test_nothing_but_what_is_inside_may_be_loaded(leak: Path) -> None:
    text = leak.read_text()
    assert "default-src 'none'" in text
    assert re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"(?!data:)", text.split("<script>")[0]) == []


def test_a_report_is_replaced_and_any_other_file_is_not(tmp_path: Path) -> None:
    file = write_report(at(0.0, 1.0), tmp_path / "page.html", title="first")
    write_report(at(0.0, 1.0), file, title="second")
    assert "<h1>second</h1>" in file.read_text()
    file.write_text("my thesis")
    with pytest.raises(FileExistsError, match=r"page.html is there and no report of gearshift; name another"):
        write_report(at(0.0, 1.0), file)
    assert file.read_text() == "my thesis"
    write_report(at(0.0, 1.0), file, force=True)
    assert [found.name for found in tmp_path.iterdir()] == ["page.html"]


def test_the_page_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    file = write_report(at(0.0, 1.0), tmp_path / "page.html")
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


@pytest.mark.parametrize(("name", "told"), [("", "is a folder"), ("absent/page.html", "is not a folder; make it")])
def test_where_no_page_can_be_written_is_told(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(OSError, match=told):
        write_report(at(0.0, 1.0), tmp_path / name)


def test_a_recording_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"run.jsonl: holds no sample, so there is nothing to show"):
        write_report(at(), tmp_path / "page.html")


def test_settings_for_a_simulation_are_refused(tmp_path: Path) -> None:
    found = simulate(load(LEAK), LADDER)
    with pytest.raises(ValueError, match="a simulation has its own"):
        write_report(found, tmp_path / "page.html", settings=Settings())


def test_samples_after_a_clock_went_back_are_put_in_order() -> None:
    found = embedded(timeline(at(1000.0, 1001.0, 5.0)), [])
    assert json.dumps(found)
    assert found["times"]["kind"] == "I"


def test_a_silence_of_months_is_kept() -> None:
    assert embedded(timeline(at(0.0, 1e7)), [])["times"]["kind"] == "d"


def test_rungs_that_stand_on_no_ladder_are_told_apart() -> None:
    lines = [*at(0.0, 1.0).samples, Residency(1.0, "ready", "other"), *at(2.0, 3.0).samples]
    run = Recording(Path("run.jsonl"), "gearshift", lines, header=None, skipped=0)
    found = embedded(timeline(run), [])
    assert found["rungs"] == ["other"]
    assert found["bands"] == [[0, 1000, -1, "empty"], [1000, 3000, 0, "ready"]]


def test_without_rungs_no_band_says_that_nothing_was_loaded() -> None:
    assert embedded(timeline(at(0.0, 1.0)), [])["bands"] == []


def test_no_bin_holds_misses_and_others() -> None:
    width, counts = histogram([-0.01, 0.0, 1e-6, 0.02])
    assert sum(count for bin_, count in counts.items() if bin_ >= 0) == 2
    assert width == 0.001 and sum(counts.values()) == 4


def test_bounds_that_were_all_kept_have_no_bin_of_misses() -> None:
    assert max(histogram([-0.03, -0.01, -0.02])[1]) < 0
    assert histogram([0.0] * 5) == (0.001, {-1: 5})
    assert histogram([]) == (1.0, {})


def test_a_decision_of_an_unknown_kind_is_named(tmp_path: Path) -> None:
    odd = Decision("sideways", "large", "small", "planned", 1.0, Reason("asked"))
    run = Recording(Path("run.jsonl"), "gearshift", [*at(0.0, 1.0).samples, odd], header=None, skipped=0)
    with pytest.raises(ValueError, match=r"run.jsonl: a decision of the kind 'sideways'; the kinds are upgrade, "):
        write_report(run, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_link_goes_on_pointing_to_the_page(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "page.html"
    link.symlink_to(tmp_path / "there" / "page.html")
    write_report(at(0.0, 1.0), link)
    assert link.is_symlink() and (tmp_path / "there" / "page.html").is_file()


def test_a_page_that_can_not_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    file = write_report(at(0.0, 1.0), tmp_path / "page.html", title="before")
    with pytest.raises(UnicodeEncodeError):
        write_report(at(0.0, 1.0), file, title="\ud800")
    assert "<h1>before</h1>" in file.read_text() and list(tmp_path.iterdir()) == [file]


def test_the_legend_names_the_signs_that_there_are(leak: Path, tmp_path: Path) -> None:
    signs = re.compile(r"</span>(shift up|shift down|unload)</li>")
    assert signs.findall(leak.read_text()) == ["shift up", "shift down"]
    plain = write_report(at(0.0, 1.0), tmp_path / "page.html").read_text()
    assert signs.findall(plain) == [] and "all of it, 10.00 GiB</li>" in plain
