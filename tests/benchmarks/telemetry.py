"""What it costs a sample to be followed, as a ratio to the same run without, and what a scrape costs."""

import time

from gearshift.pipeline import ProactiveScaler, Sample, Settings
from gearshift.pipeline.telemetry import OpenTelemetryMetrics, PrometheusMetrics
from gearshift.pipeline.telemetry.following import Follower
from gearshift.pipeline.testing import rungs_of, samples_of
from prometheus_client import CollectorRegistry
from reactivex import Subject

SAMPLES, TURNS, SCRAPES = 20_000, 7, 200


def microseconds(followers: list[Follower]) -> float:
    """Of each sample, from the source to the last subscriber."""
    source: Subject[Sample] = Subject()
    scaler = ProactiveScaler(rungs_of(500, 300, 100), Settings(interval=3600.0), source)
    items = samples_of([100] * SAMPLES)
    with scaler:
        wires = [follower.follow(scaler) for follower in followers]
        began = time.perf_counter()
        for item in items:
            source.on_next(item)
        spent = time.perf_counter() - began
        for wire in wires:
            wire.dispose()
    return spent / SAMPLES * 1e6


def scrape(metrics: PrometheusMetrics) -> float:
    source: Subject[Sample] = Subject()
    scaler = ProactiveScaler(rungs_of(500, 300, 100), Settings(interval=3600.0), source)
    with scaler, metrics.follow(scaler):
        source.on_next(samples_of([100])[0])
        began = time.perf_counter()
        for _ in range(SCRAPES):
            metrics.exposition()
        return (time.perf_counter() - began) / SCRAPES * 1e6


def main() -> None:
    prometheus, telemetry = PrometheusMetrics(CollectorRegistry()), OpenTelemetryMetrics()
    cases: dict[str, list[Follower]] = {
        "not followed": [], "by Prometheus": [prometheus], "by OpenTelemetry": [telemetry],
        "by both": [prometheus, telemetry],
    }  # fmt: skip
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(TURNS):  # in turn, so that a slow spell of the machine is in all of them
        for name, followers in cases.items():
            best[name] = min(best[name], microseconds(followers))
    bare = best["not followed"]
    for name, spent in best.items():
        print(f"{name:<20}{spent:>8.2f} µs a sample, {spent - bare:>5.2f} more, ratio {spent / bare:.3f}")
    print(f"a scrape             {scrape(prometheus):>7.0f} µs")


if __name__ == "__main__":
    main()
