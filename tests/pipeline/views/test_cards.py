"""Records as notebooks show them."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gearshift.models import Ladder, ModelSpec, Notice, Outcome, Reply
from gearshift.pipeline import (
    Decision,
    Device,
    HardwareTierDetector,
    Header,
    Mark,
    Outlook,
    Pool,
    PoolOutlook,
    Preflight,
    Pressure,
    Reason,
    Recording,
    Residency,
    Rung,
    Sample,
    Settings,
    Tier,
    load,
    simulate,
)  # fmt: skip
from gearshift.pipeline.outlook import OutlookWindow
from gearshift.pipeline.views.timeline import timeline

RECORDINGS = Path(__file__).parents[2] / "recordings"
GIB = 2**30
EVIL = "<script>alert(1)</script>&amp;"
VOID = {"br", "polyline"}


class Page(HTMLParser):
    """Tags, and the text between them; fails where a tag is not closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as its base has it
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def shown(record: Any) -> Page:
    return Page(record._repr_html_())


def hostile() -> Iterator[Any]:
    pool = Pool(10 * GIB, 6 * GIB, 2 * GIB)
    sample = Sample(0.0, {EVIL: pool, "gone": None}, devices={EVIL: Device(0.5)}, missing=(EVIL,))
    seen = OutlookWindow(Settings()).sample(sample)
    reason = Reason("asked", EVIL, detail=EVIL)
    decision = Decision("downgrade", EVIL, None, "planned", 0.0, reason)
    run = Recording(Path(EVIL.replace("/", "")), EVIL, [sample, decision, Mark(0.0, EVIL)], header=None, skipped=0)
    rung = Rung(EVIL, {EVIL: GIB})
    yield from (sample, seen, reason, decision, run, rung, timeline(run), simulate([sample], [rung], name=EVIL))
    yield from (Mark(0.0, EVIL), Residency(0.0, "ready", EVIL, failed=EVIL), Preflight(False, EVIL, fits=EVIL))
    yield from (
        Notice(0.0, EVIL, (EVIL,)),
        ModelSpec(name=EVIL, source=EVIL),
        Reply(EVIL, rungs=(EVIL,), degraded=True, seconds=1.0),
    )
    yield from (Header(1, ladder=(rung,)), Settings(reserve={EVIL: 1}))


@pytest.mark.parametrize("record", list(hostile()), ids=lambda record: type(record).__name__)
def test_names_are_shown_as_they_are_and_never_run(record: Any) -> None:
    page = shown(record)
    assert "script" not in page.tags
    assert "<script>alert(1)<" in page.text


def test_sizes_shares_and_times_have_their_units() -> None:
    pool = Pool(10 * GIB, 6 * GIB, 2 * GIB)
    text = shown(Sample(3.5, {"ram": pool}, cpu=0.25, swap_used=GIB, pressure={"memory": Pressure(0.1, 0.0)})).text
    for part in ("6.00 GiB", "10.00 GiB", "60%", "2.00 GiB", "4.00 GiB", "25%", "3.5 s", "some 10%"):
        assert part in text, part
    assert "6.00 GiB" in shown(pool).text
    assert "80%" in shown(Settings()).text and "300 s" in shown(Settings()).text


def test_what_could_not_be_read_is_said() -> None:
    assert "not read" in shown(Sample(0.0, {"ram": None})).text
    seen = OutlookWindow(Settings()).sample(Sample(0.0, {"ram": None}))
    assert "not read" in shown(seen).text


def test_an_outlook_tells_its_bounds() -> None:
    window = OutlookWindow(Settings())
    found = [window.sample(Sample(float(t), {"ram": Pool(10 * GIB, GIB + t * GIB // 10)})) for t in range(60)][-1]
    assert isinstance(found, Outlook) and isinstance(found.pools["ram"], PoolOutlook)
    text = shown(found).text
    assert f"{found.pools['ram'].bound(found.shrink) / GIB:.2f} GiB" in text and "MiB/s" in text
    assert "102 MiB/s" in shown(found.pools["ram"]).text


def test_a_recording_shows_its_use_and_its_marks_are_counted() -> None:
    run = load(RECORDINGS / "leak.jsonl")
    page = shown(run)
    assert page.tags.count("svg") == 1 and "97 samples" in page.text
    most = max(pool.used for sample in run.samples if (pool := sample.pools["ram"]) is not None)
    assert f"at most {most / GIB:.2f} GiB" in page.text
    assert "2 marks" in shown(timeline(run)).text


def test_a_simulation_tells_how_it_went_and_every_decision() -> None:
    ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000}, 0.7)]
    found = simulate(load(RECORDINGS / "leak.jsonl"), ladder, load_time=3.0)
    text = shown(found).text
    assert f"quality {found.effective_quality:.3f}" in text and "1 shift, 0 models killed" in text
    for decision in found.decisions:
        assert decision.explain() in text


def test_a_shift_tells_why_and_how_long_before_its_shortage() -> None:
    ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000}, 0.7)]
    (shift,) = simulate(load(RECORDINGS / "leak.jsonl"), ladder, load_time=3.0).shifts
    text = shown(shift).text
    assert shift.decision.explain() in text and "lead 8.5 s" in " ".join(text.split())


def test_a_long_list_of_decisions_is_cut_and_counted() -> None:
    made = [Decision("upgrade", None, "a", "planned", float(t), Reason("fits")) for t in range(40)]
    run = Recording(Path("run.jsonl"), "gearshift", [Sample(0.0, {"ram": Pool(2, 1)}), *made], header=None, skipped=0)
    page = shown(run)
    assert page.tags.count("li") == 12 and "and 28 more" in page.text


def test_an_empty_recording_is_shown_too() -> None:
    assert "0 samples" in shown(Recording(Path("run.jsonl"), "gearshift", [], header=None, skipped=0)).text


def test_tiers_outcomes_and_ladders_are_shown() -> None:
    tier = HardwareTierDetector(memory=24 * GIB, cores=2, accelerators={}).detect()
    assert isinstance(tier, Tier) and "mid_range" in shown(tier).text
    decision = Decision("upgrade", None, "a", "planned", 0.0, Reason("fits"))
    fields = {field.name for field in msgspec.structs.fields(Outcome)}
    assert {"kind", "decision"} <= fields
    assert callable(Ladder._repr_html_) and decision.explain() in shown(decision).text


def test_a_repr_is_what_it_was() -> None:
    assert repr(Pool(2, 1)) == "Pool(total=2, used=1, own=0)"
