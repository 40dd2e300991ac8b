"""Every reader of checkpoints, of our own small files, of the wire, of requests and of the kernel's files."""

import asyncio
import json
import logging
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from gearshift.models.hosts.channel import Channel, socket_pair
from gearshift.models.hosts.pages import Pages
from gearshift.models.hosts.wire import Ask, Failed, FromWorker, Here, Load, Loaded, Piece, ToWorker
from gearshift.models.hosts.wire import encode as packed
from gearshift.models.ladders.ladder import Ladder, ModelSpec
from gearshift.models.needs.checkpoint import CheckpointError, snapshot
from gearshift.models.needs.need import estimate
from gearshift.models.needs.remembered import Known, Needs
from gearshift.models.needs.store import Store
from gearshift.models.replies.generation import Options
from gearshift.models.switching.crash_marker import CrashMarker
from gearshift.pipeline.probes.cgroup import MemoryGroups, groups
from gearshift.pipeline.probes.cores import usable_cores
from gearshift.pipeline.probes.pressure import PressureProbe

from .outside import Reader, written

TENSORS = {
    "model.embed_tokens.weight": ((32, 8), "F32"), "model.layers.0.mlp.up_proj.weight": ((16, 8), "BF16"),
    "lm_head.weight": ((32, 8), "F32"),
}  # fmt: skip
CONFIG = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 8, "intermediate_size": 16,
    "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 32, "sliding_window": 4,
    "max_position_embeddings": 64, "tie_word_embeddings": True, "dtype": "float32", "sliding_window_pattern": 2,
    "layer_types": ["full_attention"], "quantization_config": {"quant_method": "gptq", "bits": 4}, "text_config": {},
}  # fmt: skip
_KEYS = (
    b'"full_attn_idxs":[0],', b'"head_dim":', b'"num_kv_shared_layers":1,', b'"use_sliding_window":true,',
    b'"n_layer":9,', b'"full_attention_interval":4,', b'"global_head_dim":3,', b'"weight_map":',
    b'"__metadata__":{},', b'"data_offsets":',
)  # fmt: skip


def safetensors() -> bytes:
    header, at = {}, 0
    for name, (shape, kind) in TENSORS.items():
        size = shape[0] * shape[1] * (4 if kind == "F32" else 2)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    told = json.dumps(header).encode()
    return len(told).to_bytes(8, "little") + told + bytes(at)


def gguf() -> bytes:
    def text(word: str) -> bytes:
        return struct.pack("<Q", len(word)) + word.encode()

    pairs = {
        "general.architecture": struct.pack("<I", 8) + text("llama"),
        "general.alignment": struct.pack("<II", 4, 32),
        "llama.block_count": struct.pack("<II", 4, 1),
        "llama.embedding_length": struct.pack("<II", 4, 8),
        "llama.attention.head_count": struct.pack("<II", 4, 2),
        "tokenizer.ggml.tokens": struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b"),
        "tokenizer.ggml.scores": struct.pack("<IIQff", 9, 6, 2, 0.0, 1.0),
        "tokenizer.chat_template": struct.pack("<I", 8) + text("{{ messages }}"),
    }
    made = b"GGUF" + struct.pack("<IQQ", 3, 1, len(pairs)) + b"".join(text(key) + value for key, value in pairs.items())
    made += text("token_embd.weight") + struct.pack("<IQQIQ", 2, 8, 32, 0, 0)
    return made.ljust(-(-len(made) // 32) * 32, b"\0") + bytes(8 * 32 * 4)


def checkpoint(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages }}"}))
    (folder / "model.safetensors").write_bytes(safetensors())
    return folder


def _needed(source: Path) -> None:
    """As a ladder and its needs read it."""
    spec = ModelSpec(name="a", source=str(source), context=16)
    need = estimate(spec, room={"cuda:0": 1 << 30, "ram": 1 << 30}).total()
    estimate(msgspec.structs.replace(spec, device="auto"), room={"cuda:0": 1 << 30, "ram": 1 << 30})
    assert all(size >= 0 for size in need.need.values()), need
    msgspec.json.encode(need)


def _file_of_checkpoint(name: str) -> Callable[[Path, bytes], None]:
    def read(folder: Path, content: bytes) -> None:
        written(checkpoint(folder / "model"), name, content)
        _needed(folder / "model")

    return read


def _revision(folder: Path, content: bytes) -> None:
    (folder / "refs").mkdir()
    (folder / "snapshots" / "abc").mkdir(parents=True)
    written(folder / "refs", "main", content)
    assert snapshot(folder) is not None


def _needs(folder: Path, content: bytes) -> None:
    """What is damaged counts as absent, and is made anew by the next load."""
    spec = ModelSpec(name="a", source=str(checkpoint(folder / "model")), context=16)
    needs = Needs(folder / "needs", free=lambda: {"ram": 1 << 30})
    needs.learn(spec, {"ram": 1 << 26})
    for file in (folder / "needs").iterdir():
        file.write_bytes(content)
    for learnt in (needs.of(spec), needs.ran_out(spec), needs.learn(spec, {"ram": 1 << 26})):
        msgspec.json.encode(learnt)


def _record(folder: Path, content: bytes) -> None:
    written(folder, "known-a.json", content)
    found = Store(folder).get(Known, "a")
    assert found is None or isinstance(found, Known)


def _marker(folder: Path, content: bytes) -> None:
    written(folder, "1.json", content)
    ladder = Ladder([ModelSpec(name="a", source="x", need={"ram": 1}, quality=1.0)])
    found = CrashMarker(ladder, folder).previous()
    assert found is None or isinstance(found, str)


def _wire(kind: Any) -> Callable[[Path, bytes], None]:
    def read(_: Path, content: bytes) -> None:
        """Messages and their lengths alike, with the end of the other side behind them."""
        ours, theirs = socket_pair(1)
        ours.settimeout(30)
        channel: Channel[Any] = Channel(ours, msgspec.msgpack.Decoder(kind))
        try:
            theirs.setblocking(False)
            theirs.send(content[: 1 << 16])
            theirs.close()
            while channel.receive() is not None:
                pass
        finally:
            theirs.close()
            channel.close()

    return read


def _sent(message: Any) -> bytes:
    body = packed(message)
    return struct.pack("<Q", len(body)) + body


def _body(_: Path, content: bytes) -> None:
    from gearshift.models.serving.bodies import json_body
    from gearshift.models.serving.requests import chat_request, messages_of, options_of
    from starlette.requests import Request

    head, _, body = content.partition(b"\n")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", b"application/json"), (b"content-length", head)]
    request = chat_request(asyncio.run(json_body(Request({"type": "http", "headers": headers}, receive), 1 << 20)))
    messages_of(request)
    options_of(request, 100)


def _kernel(folder: Path, content: bytes) -> None:
    """All files of /proc and of control groups say this."""
    proc, group = folder / "proc", folder / "sys"
    for name in ("self/mountinfo", "self/cgroup", "pressure/memory", "pressure/cpu", "pressure/io"):
        (proc / name).parent.mkdir(parents=True, exist_ok=True)
        (proc / name).write_bytes(content)
    for name in ("memory.max", "memory.high", "memory.current", "memory.stat", "cpu.max", "memory.pressure"):
        (group / name).parent.mkdir(parents=True, exist_ok=True)
        (group / name).write_bytes(content)
    groups("memory", proc=proc, sys=group)
    (proc / "self/cgroup").write_bytes(b"0::/\n")
    (proc / "self/mountinfo").write_bytes(b"1 1 0:1 / %s rw - cgroup2 none rw\n" % bytes(group))
    probe = PressureProbe(proc=proc, sys=group)
    failed: list[Exception] = []
    for look in (
        MemoryGroups(proc, group).limits, probe.read, probe.read, lambda: usable_cores(proc, group),
    ):  # fmt: skip
        try:
            look()
        except (OSError, ValueError, LookupError, ArithmeticError) as error:
            failed.append(error)
    probe.close()
    if failed:
        raise failed[0]


def readers() -> list[Reader]:
    logging.getLogger("gearshift").setLevel(logging.CRITICAL)
    refused = (CheckpointError,)
    spec = ModelSpec(name="a", source="x")
    asked = [_sent(Load(spec, "/")), _sent(Ask(1, [{"role": "user", "content": "x"}], "", Options(), False, None))]
    came = [Here(7, Pages(1, 2, 3, 4)), Loaded(Pages(1, 2, 3, 4), {"cuda:0": 1}, ("a",), None), Piece(1, "x")]
    chat = b'{"model":"gearshift","messages":[{"role":"user","content":"x"}],"max_tokens":5,"stop":["a"]}'
    chat = b"%d\n%s" % (len(chat), chat)
    index = json.dumps({"metadata": {}, "weight_map": dict.fromkeys(TENSORS, "model.safetensors")}).encode()
    mark = b'{"pid":1,"began":1.5,"ladder":"ab","rung":"large"}'
    known = b'{"rung":{"a":"b"},"held":{"ram":67108864},"raised":{"ram":100},"calm":1}'
    unreadable = (OSError, ValueError, LookupError, ArithmeticError)
    kernel = [
        b"some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=45\n",
        b"anon 12\ninactive_file 4096\ntotal_inactive_file 4096\n", b"9223372036854771712\n", b"max 100000\n",
        b"0::/user.slice\n1:memory:/a\n", b"35 25 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n",
    ]  # fmt: skip
    return [
        Reader("config.json", [json.dumps(CONFIG).encode()], _file_of_checkpoint("config.json"), refused, _KEYS),
        Reader("safetensors", [safetensors()], _file_of_checkpoint("model.safetensors"), refused, _KEYS),
        Reader("index", [index], _file_of_checkpoint("model.safetensors.index.json"), refused, _KEYS),
        Reader("tokenizer_config.json", [b'{"chat_template":"x"}'], _file_of_checkpoint("tokenizer_config.json"),
               refused),
        Reader("GGUF", [gguf()], lambda f, c: _needed(written(f, "a.gguf", c)), refused, (b"general.alignment",)),
        Reader("revision of a cache", [b"abc\n"], _revision, ()),
        Reader("measured needs", [known], _needs, ()),
        Reader("small record", [known], _record, ()),
        Reader("crash marker", [mark], _marker, ()),
        Reader("from a worker", [b"".join(map(_sent, came)), _sent(Failed(0, "memory", "x"))],
               _wire(FromWorker), (msgspec.DecodeError,)),
        Reader("to a worker", asked, _wire(ToWorker), (msgspec.DecodeError,)),
        Reader("request", [chat], _body, _api_errors()),
        Reader("kernel's files", kernel, _kernel, unreadable, (b"max", b"total=")),
    ]  # fmt: skip


def _api_errors() -> tuple[type[Exception], ...]:
    from gearshift.models.serving.errors import ApiError

    return (ApiError,)
