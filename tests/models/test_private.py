"""What others on this machine can see of an app that does all that gearshift can: no port, no name, no word."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gearshift.models
import gearshift.operators
import gearshift.pipeline
import psutil
import pytest

from tests.models.checkpoints import make_checkpoint

SYSTEM, QUESTION, REFUSED = "You know of tulip-4410.", "What is orchid-7731?", "REFUSED peony-2265"
NEIGHBOUR = "crocus-9083"
WORDS = ("tulip-4410", "orchid-7731", "peony-2265", NEIGHBOUR)
HOOK = """
import os, sys
def hook(event, args):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["NETWORK_LOG"], "a") as log:
            log.write(f"{event} {args[1:]}\\n")
sys.addaudithook(hook)
sys.audit("socket.connect", None, "watched")
"""
TEMPLATE = (
    "{% for m in messages %}{% if 'REFUSED' in m['content'] %}{{ raise_exception('not ' + m['content']) }}{% endif %}"
    "{{ m['role'] + m['content'] }}{% endfor %}"
)


class Life:
    """The app, from outside. told: what it said when it had answered, and is still there."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]", told: dict[str, Any]) -> None:
        self.folder, self.process, self.told = folder, process, told
        self.tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        self.seen = [(p.cmdline(), p.environ(), Path(f"/proc/{p.pid}/maps").read_text()) for p in self.tree]
        self.inet = [each for p in self.tree for each in p.net_connections("inet")]
        cache = folder / "app" / "cache"
        self.kept = {
            path: path.stat().st_mode & 0o777 for path in (cache, *cache.rglob("*"))
        }  # with what marks a crash
        self.unix = [each for p in self.tree for each in p.net_connections("unix")]

    def end(self) -> None:
        said, _ = self.process.communicate("\n", timeout=120)
        assert (self.process.returncode, json.loads(said)) == (0, {"ended": True})


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("life")
    model = make_checkpoint(folder / "model", 64)
    (model / "chat_template.jinja").write_text(TEMPLATE)
    (folder / "ladder.toml").write_text(f'[[rung]]\nname = "only"\nsource = "{model}"\ncontext = 512\n')
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(HOOK)
    (folder / "network").touch()
    unset = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    environment = {
        **unset, "PYTHONPATH": str(folder / "hook"), "NETWORK_LOG": str(folder / "network"), "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "home"), "HTTPS_PROXY": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.models.private_app", str(folder / "ladder.toml"), str(folder / "app")]
    held = "import sys; held = b'x' * (100 << 20); sys.stdin.read()"
    (folder / "app").mkdir()
    with (
        subprocess.Popen([sys.executable, "-c", held, f"--password={NEIGHBOUR}"], stdin=subprocess.PIPE),
        (folder / "errors").open("w") as errors,
        subprocess.Popen(
            command, stderr=errors, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, umask=0
        ) as process,
    ):
        try:
            assert process.stdin is not None and process.stdout is not None
            asked = {"system": SYSTEM, "question": QUESTION, "refused": REFUSED}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            found = Life(folder, process, json.loads(process.stdout.readline()))
            found.end()
            yield found
        finally:
            process.kill()


def test_it_was_asked_and_it_answered(life: Life) -> None:
    assert len(life.told["reply"]) > 20 and len(life.tree) == 3  # the app, the server, a worker
    assert life.told["refused"] == "ValueError: the model's chat template refuses the conversation (user): not …"


def test_nothing_listens_and_nothing_calls_out(life: Life) -> None:
    assert life.inet == []
    told = (life.folder / "network").read_text().splitlines()
    assert len(told) >= 2 and set(told) == {"socket.connect ('watched',)"}  # the app, and what forks its workers


def test_its_sockets_have_no_name_and_none_but_its_own_processes_have_them(life: Life) -> None:
    assert life.unix and {each.laddr for each in life.unix} == {""}
    assert life.told["inherited"] == []


def test_no_memory_is_shared_under_a_name(life: Life) -> None:
    assert not [line for *_, maps in life.seen for line in maps.splitlines() if "/dev/shm/" in line]


def test_no_process_has_a_word_of_it_in_its_arguments_or_its_environment(life: Life) -> None:
    told = json.dumps([(command, environment) for command, environment, _ in life.seen])
    assert not [word for word in (*WORDS, life.told["reply"]) if word in told]


def test_no_recording_log_metric_report_or_memory_holds_a_word_of_it_or_an_argument_of_others(life: Life) -> None:
    files = [path for path in life.folder.rglob("*") if path.is_file()]
    kept = [path for path in files if not path.is_relative_to(life.folder / "model")]
    names = {path.name for path in kept}
    assert {"run.jsonl", "log", "errors", "objects", "metrics", "report.html"} <= names
    assert "failed by ValueError" in (life.folder / "errors").read_text()  # so it was logged, but not in its words
    words = (*WORDS, life.told["reply"][:20])
    found = [(path.name, word) for path in kept for word in words if word.encode() in path.read_bytes()]
    assert {name for name, _ in found} == {"conversations.json"}  # the one place that is there to hold them


def test_what_it_keeps_is_its_user_s_alone_whatever_the_umask(life: Life) -> None:
    assert {path.parent.name for path in life.kept if path.suffix} == {"needs", "running"}
    assert {(path.suffix, rights) for path, rights in life.kept.items()} == {("", 0o700), (".json", 0o600)}
    assert (life.folder / "app" / "saved" / "conversations.json").stat().st_mode & 0o777 == 0o600


FLOORS = [Path(str(each.__file__)).parent for each in (gearshift.models, gearshift.operators, gearshift.pipeline)]
CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "multiprocessing", "http", "xmlrpc"}
CALLS = {"eval", "exec", "compile", "torch.load", "os.system", "numpy.load", "yaml.load"}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]


def test_no_file_of_ours_unpickles_evaluates_or_trusts_a_checkpoint_s_code() -> None:
    seen = 0
    for file in (path for floor in FLOORS for path in floor.rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        assert not CODE & set(imported(tree)), file
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            assert name not in CALLS, (file, call.lineno)
            if name.endswith((".from_pretrained", "from_pretrained")):
                seen += 1
                trusted = {each.arg: ast.unparse(each.value) for each in call.keywords}.get("trust_remote_code")
                assert trusted == "False", (file, call.lineno)
    assert seen >= 4
