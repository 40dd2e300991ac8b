import json
import logging

import pytest
from gearshift.pipeline import Decision, Pool, ProactiveScaler, Reason, Residency, Sample, Settings
from gearshift.pipeline.decision_log import DecisionLog
from gearshift.pipeline.testing import rungs_of, samples_of
from reactivex import Subject

PLANNED = Decision("downgrade", "large", "small", "planned", 12.5, Reason("forecast", "ram", total=1000))


def fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name.startswith("gearshift_")}


def test_a_record_has_flat_fields_and_the_decision(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "gearshift.pipeline"):
        DecisionLog().write(PLANNED)
    (record,) = caplog.records
    assert record.message == PLANNED.explain() and record.decision is PLANNED  # type: ignore[attr-defined]
    assert json.loads(json.dumps(fields(record))) == {
        "gearshift_kind": "downgrade", "gearshift_source": "large", "gearshift_target": "small",
        "gearshift_urgency": "planned", "gearshift_rule": "forecast", "gearshift_time": 12.5,
        "gearshift_dry_run": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "target", "urgency", "level"),
    [("downgrade", "small", "planned", logging.INFO), ("upgrade", "small", "planned", logging.INFO),
     ("downgrade", "small", "immediate", logging.WARNING), ("shed", None, "planned", logging.WARNING)],
)  # fmt: skip
def test_what_is_urgent_or_a_loss_of_everything_is_a_warning(
    caplog: pytest.LogCaptureFixture, kind: str, target: str | None, urgency: str, level: int
) -> None:
    with caplog.at_level(logging.DEBUG, "gearshift.pipeline"):
        DecisionLog().write(Decision(kind, "large", target, urgency, 0.0, Reason("critical")))
    assert [record.levelno for record in caplog.records] == [level]


def test_a_dry_run_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "gearshift.pipeline"):
        DecisionLog(dry_run=True).write(PLANNED)
    assert caplog.records[0].message == f"dry run: {PLANNED.explain()}"
    assert fields(caplog.records[0])["gearshift_dry_run"] is True


def test_counts_are_a_copy() -> None:
    log = DecisionLog()
    before = log.counts
    log.write(PLANNED)
    log.write(PLANNED)
    log.counts.clear()
    assert before == {} and log.counts == {("downgrade", "planned", "forecast"): 2}


def test_every_decision_of_a_scaler_is_logged_and_counted_once(caplog: pytest.LogCaptureFixture) -> None:
    source: Subject[Sample] = Subject()
    residencies: Subject[Residency] = Subject()
    scaler = ProactiveScaler(rungs_of(500, 300, 100), Settings(), source, residencies=residencies)
    made: list[Decision] = []
    for _ in range(2):
        scaler.decisions.subscribe(made.append)
    with caplog.at_level(logging.INFO, "gearshift.pipeline"), scaler:
        residencies.on_next(Residency(0.0, "ready", "large"))
        for sample in samples_of([100, 100, 950, 950]):
            source.on_next(sample)
        residencies.on_next(Residency(4.0, "empty", None))
        source.on_next(Sample(5.0, {"ram": Pool(1000, 950)}))
    assert [record.decision for record in caplog.records] == made[::2]  # type: ignore[attr-defined]
    assert scaler.counts == {("shed", "immediate", "nothing fits"): len(made[::2])} and made
