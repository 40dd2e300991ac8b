"""`gearshift serve`, as a process, with tiny real models."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import openai
import psutil
import pytest

from tests.models.commands.command import gearshift, imported, said
from tests.models.serving.served import ask, text_of

COMMAND = [sys.executable, "-c", "from gearshift.models.commands.cli import main; main()", "serve", "--port", "0"]
WAIT = 120


class Serving:
    """The command with its client. told: what it has printed on stdout until it was ready."""

    def __init__(self, ladder: Path, *args: str, **env: str) -> None:
        self._log = (ladder.parent / "log").open("w+")
        self.process = subprocess.Popen(
            [*COMMAND, "--ladder", str(ladder), *args], stdout=subprocess.PIPE, stderr=self._log, text=True,
            env={**os.environ, "XDG_CACHE_HOME": str(ladder.parent), **env},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.told = self.process.stdout.readline()
        found = re.search(r"http://\S+", self.told)
        assert found is not None, self.log
        self.url = found[0]

    @property
    def log(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text()

    def client(self, **more: Any) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.url, **{"api_key": "unused", **more})

    def ended(self) -> int:
        return self.process.wait(WAIT)

    def __enter__(self) -> "Serving":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()


@pytest.fixture
def ladder(tmp_path: Path, checkpoints: dict[str, Path]) -> Iterator[Path]:
    file = tmp_path / "ladder.toml"
    names = ("large", "small")
    file.write_text("".join(f'[[rung]]\nname = "{n}"\nsource = "{checkpoints[n]}"\ncontext = 1500\n' for n in names))
    yield file


def begun(stream: Any) -> str:
    """The first text of it."""
    return next(c.choices[0].delta.content for c in stream if c.choices[0].delta.content)


def test_the_client_is_answered_by_a_real_model_and_a_stream_it_leaves_stops(ladder: Path) -> None:
    with Serving(ladder) as serving, serving.client() as client:
        whole = ask(client, 12)
        assert whole.usage.completion_tokens == 12 and whole.choices[0].message.content
        chunks = list(ask(client, 12, stream=True))
        assert text_of(chunks) == whole.choices[0].message.content
        assert chunks[-1].gearshift["rungs"] == whole.gearshift["rungs"] == ["large"]
        with ask(client, 1400, stream=True) as left:
            assert begun(left)
        assert ask(client, 2).usage.completion_tokens == 2
        scraped = httpx.get(serving.url.replace("/v1", "/metrics"), headers={"Accept": "text/plain"}).text
        assert "gearshift_rung_loaded{" in scraped and "gen_ai_server_request_duration_seconds_count" in scraped
        again = ask(client, 30, temperature=0.9, extra_body={"top_k": 3})
        assert again.choices[0].message.content
        with pytest.raises(openai.BadRequestError, match="longer than the rung's context"):
            ask(client, messages=[{"role": "user", "content": "a" * 2000}])
        rungs = psutil.Process(serving.process.pid).children(recursive=True)
        serving.process.send_signal(signal.SIGTERM)
        assert serving.ended() == 0
        assert "left by its client" in serving.log and "Traceback" not in serving.log
        gone, alive = psutil.wait_procs(rungs, timeout=WAIT)
        assert gone and not alive


def test_told_to_end_it_lets_a_stream_end_and_takes_no_other(ladder: Path) -> None:
    with Serving(ladder, "--grace", "100") as serving, serving.client(max_retries=0) as client:
        stream = ask(client, 100, stream=True)
        first = begun(stream)
        serving.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            try:
                with serving.client(max_retries=0, timeout=5) as late:
                    late.models.list()
            except openai.APIConnectionError:
                break
            time.sleep(0.05)
        *chunks, last = stream
        assert last.choices[0].finish_reason == "length" and len(first + text_of(chunks)) >= 100
        assert serving.ended() == 0


@pytest.mark.parametrize("second", [None, signal.SIGINT])
def test_a_stream_that_takes_longer_than_the_grace_or_a_second_signal_is_braked(
    ladder: Path, second: signal.Signals | None
) -> None:
    grace = "1" if second is None else "1000"
    with Serving(ladder, "--grace", grace) as serving, serving.client() as client:
        stream = ask(client, 1400, stream=True)
        got = begun(stream)
        serving.process.send_signal(signal.SIGINT)
        if second is not None:
            threading.Timer(0.5, serving.process.send_signal, [second]).start()
        with pytest.raises(openai.APIError):
            for chunk in stream:
                got += chunk.choices[0].delta.content or ""
        assert len(got) < 1400
        assert serving.ended() == (0 if second is None else 130)


def test_other_machines_are_let_in_only_with_a_key(ladder: Path, tmp_path: Path) -> None:
    done = gearshift("serve", "--host", "0.0.0.0", "--port", "0", "--ladder", ladder)
    assert done.returncode == 2 and "GEARSHIFT_API_KEY or give --api-key-file" in said(done)
    key = tmp_path / "key"
    key.write_text("secret\n")
    with Serving(ladder, "--host", "0.0.0.0", "--api-key-file", str(key)) as serving:
        assert "secret" not in serving.told
        with serving.client() as client, pytest.raises(openai.AuthenticationError):
            client.models.list()
        with serving.client(api_key="secret") as client:
            assert [model.id for model in client.models.list()] == ["gearshift"]
        serving.process.terminate()
        assert serving.ended() == 0 and "secret" not in serving.log


def test_by_default_it_alone_listens_and_only_for_this_machine(ladder: Path) -> None:
    with Serving(ladder) as serving:
        processes = [psutil.Process(serving.process.pid), *psutil.Process(serving.process.pid).children(recursive=True)]
        found = [(p.pid, each.laddr.ip) for p in processes for each in p.net_connections("inet")]
        assert len(processes) >= 2 and found == [(serving.process.pid, "127.0.0.1")]


def test_the_name_that_it_listens_at_is_one_that_it_may_be_asked_by(ladder: Path) -> None:
    with Serving(ladder, "--host", "127.1") as serving:
        url = f"{serving.url}/models"
        assert [httpx.get(url, headers={"host": name}).status_code for name in ("127.1", "127.2")] == [200, 403]


@pytest.mark.parametrize("option", ["--grace", "--timeout"])
@pytest.mark.parametrize("seconds", ["inf", "nan", "86401"])
def test_a_time_beyond_a_day_is_wrong_usage_that_names_the_option(option: str, seconds: str, ladder: Path) -> None:
    done = gearshift("serve", "--port", "0", "--ladder", ladder, option, seconds)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Invalid value for '{option}'" in done.stderr


def test_a_port_in_use_is_one_line(ladder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = gearshift("serve", "--port", str(port), "--ladder", ladder)
    assert (done.returncode, done.stdout) == (1, "")
    assert said(done).startswith(f"gearshift serve: 127.0.0.1, port {port}: Address already in use; end what listens")


@pytest.mark.parametrize(
    ("args", "env", "told", "code"),
    [
        (["--api-key-file", "/nowhere/key"], {}, "--api-key-file: /nowhere/key: No such file or directory", 1),
        (
            ["--api-key-file", "/dev/zero"],
            {},
            "--api-key-file: /dev/zero: it is longer than 4096 bytes",
            1,
        ),
        ([], {"GEARSHIFT_API_KEY": "two words"}, "GEARSHIFT_API_KEY: the key must be one or more visible", 1),
        (["--host", "no.such.host.invalid"], {}, "--host no.such.host.invalid: ", 2),
        (["--allow-host", "mine:80"], {}, "--allow-host: a host must be a name without a port", 2),
        (["--allow-origin", "https://mine/"], {}, "--allow-origin: an origin must be such as", 2),
        (["--allow-origin", "mine.org"], {}, "--allow-origin: an origin must be such as", 2),
        (["--max-body", "much"], {}, "--max-body: 'much' is no size", 2),
        (["--ladder", "absent.toml"], {}, "absent.toml: can't be read: No such file", 1),
    ],
)
def test_what_cannot_be_used_is_one_line(args: list[str], env: dict[str, str], told: str, code: int) -> None:
    done = gearshift("serve", "--port", "0", *args, **env)
    assert (done.returncode, done.stdout) == (code, "")
    assert said(done).startswith(f"gearshift serve: {told}")
    assert "torch" not in imported(done)


@pytest.mark.parametrize("option", ["--timeout", "--grace"])
def test_seconds_without_end_are_wrong_usage(option: str) -> None:
    done = gearshift("serve", "--port", "0", option, "inf")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Invalid value for '{option}'" in done.stderr and "Traceback" not in done.stderr
