"""What a scrape tells; a Prometheus in a process of its own, on a free port, and a server that it scrapes."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gearshift.pipeline.telemetry import PrometheusMetrics
from prometheus_client import start_http_server
from prometheus_client.parser import text_string_to_metric_families

DEADLINE = 120


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def series(metrics: PrometheusMetrics, name: str, **labels: str) -> dict[tuple[str, ...], float]:
    """Values by those of the labels that were not asked for, but for the manager's."""
    for followed in metrics.followed:
        if followed.scaler.teller is not None:
            followed.scaler.teller.told()
    body, _ = metrics.exposition()
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            if sample.name == name and all(sample.labels.get(key) == value for key, value in labels.items()):
                left = sorted(key for key in sample.labels if key not in (*labels, "gearshift_manager"))
                found[tuple(sample.labels[key] for key in left)] = sample.value
    return found


class Prometheus:
    """Scrapes what it is given twice a second, and is asked in PromQL."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder, self._port = program, folder, free_port()

    @contextmanager
    def scraping(self, metrics: PrometheusMetrics) -> Iterator[None]:
        server, thread = start_http_server(0, "127.0.0.1", metrics.registry)
        config = self._folder / "prometheus.yml"
        target = f"127.0.0.1:{server.server_port}"
        config.write_text(
            "global: {scrape_interval: 500ms}\n"
            f"scrape_configs: [{{job_name: gearshift, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        command = [
            self._program, f"--config.file={config}", f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}", "--log.level=error",
        ]  # fmt: skip
        running = subprocess.Popen(command, stderr=(self._folder / "log").open("wb"))
        try:
            self._wait(running)
            yield
        finally:
            running.terminate()
            running.wait(DEADLINE)
            server.shutdown()
            server.server_close()
            thread.join(DEADLINE)

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series that an instant query finds. Raises AssertionError where it is no PromQL."""
        try:
            told = self._get(f"/api/v1/query?{urllib.parse.urlencode({'query': expr})}")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expr}: {error.read().decode()}") from None
        return json.loads(told)["data"]["result"]

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=DEADLINE) as answer:
            return answer.read()

    def _wait(self, running: "subprocess.Popen[bytes]") -> None:
        ends = time.monotonic() + DEADLINE
        while time.monotonic() < ends:
            assert running.poll() is None, (self._folder / "log").read_text()
            try:
                self._get("/-/ready")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("Prometheus was not ready in time")
