import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gearshift.models import Ladder, LadderError, ModelManager, ModelSpec
from gearshift.pipeline import Rung
from gearshift.pipeline.preflight import with_tokens
from gearshift.pipeline.rungs import checked_ladder


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "rung: the file is empty"),
        ("not toml [", "not TOML"),
        ("rung = []", "holds no rung"),
        ("[other]\nx = 1", "other"),
        ('[[rung]]\nname = "a"\nsource = "good"\nspeed = 3', "speed"),
        ('[[rung]]\nsource = "good"', "name"),
        ('[[rung]]\nname = "a"\nsource = 3', "source"),
        (
            '[[rung]]\nname = "a"\nsource = "good"\n[[rung]]\nname = "a"\nsource = "good"',
            "'a' is the name of an earlier rung",
        ),
        ('[[rung]]\nname = "a"\nsource = "absent"', "absent is not a folder"),
        ('[[rung]]\nname = "a"\nsource = "bare"', "config.json is missing"),
        ('[[rung]]\nname = "a"\nsource = "cut"', "can't be read as a checkpoint"),
        ('[[rung]]\nname = "a"\nsource = "good"\ncontext = 0', "rung[0].context: must be tokens above 0, got 0"),
        (
            '[[rung]]\nname = "a"\nsource = "good"\ncontext = 2049',
            "rung[0].context: 2049 tokens are more than the model's 2048",
        ),
        ('[[rung]]\nname = "a"\nsource = "good"\ndtype = "int3"', "rung[0].dtype: 'int3' is unknown; give one of auto"),
        (
            '[[rung]]\nname = "a"\nsource = "good"\nquantisation = "int8"',
            "rung[0].quantisation: 'int8' is unknown; give one of torchao-int8",
        ),
        ('[[rung]]\nname = "a"\nsource = "good"\ndevice = "gpu"', "rung[0].device: 'gpu' is unknown; give cpu, auto"),
        ('[[rung]]\nname = "a"\nsource = "good"\nlatency = 0', "rung[0].latency: must be seconds above 0, got 0"),
        ('[[rung]]\nname = "a"\nsource = "good"\nquality = nan', "rung[0].quality: must be a finite number, got nan"),
        ('[[rung]]\nname = "a"\nsource = ""', "rung[0].source: empty; give a folder"),
        ('[[rung]]\nname = "a"\nsource = "good"\ncontext = "many"', "rung[0].context: Expected `int`, got 'many'"),
        ("rung = 3", "got rung = 3; a ladder holds [[rung]] tables only"),
        (
            '[[rung]]\nname = "a"\nsource = "good"\nquality = 1\n[[rung]]\nname = "b"\nsource = "good"\nquality = 2',
            "ladder must be best first, but 'b' (quality 2) stands below 'a' (1)",
        ),
        ('[[rung]]\nname = "a"\npath = "good"', "rung[0].path: 'good': the key is `source` now"),
        ('[[rung]]\nname = "a"\nsource = "no/where"', "no model of that id is in"),
        ('[[rung]]\nname = "a"\nsource = "absent.gguf"', "absent.gguf is not there"),
        ('[[rung]]\nname = "a"\nsource = "~nobody-here/model"', "~nobody-here/model is not a folder"),
        ('[[rung]]\nname = "a"\nsource = "ladder.toml"', "ladder.toml is not a folder"),
    ],
)
def test_a_bad_file_is_one_error_that_names_file_and_key(
    tmp_path: Path, checkpoints: dict[str, Path], text: str, says: str
) -> None:
    (tmp_path / "good").symlink_to(checkpoints["small"])
    (tmp_path / "bare").mkdir()
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "config.json").write_text("{}")
    (cut / "model.safetensors").write_bytes((checkpoints["small"] / "model.safetensors").read_bytes()[:5000])
    file = tmp_path / "ladder.toml"
    file.write_text(text)
    with pytest.raises(LadderError) as caught:
        ModelManager(file)
    assert str(file) in str(caught.value) and says in str(caught.value)
    assert "\n" not in str(caught.value).rstrip("\n")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LadderError, match="absent.toml: can't be read: No such file"):
        Ladder.from_toml(tmp_path / "absent.toml")


def test_relative_paths_start_at_the_file(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    (tmp_path / "model").symlink_to(checkpoints["small"])
    (tmp_path / "ladder.toml").write_text('[[rung]]\nname = "a"\nsource = "model"\n')
    assert Ladder.from_toml(tmp_path / "ladder.toml")[0].source == str(tmp_path / "model")


def test_a_ladder_without_qualities_is_ordered_by_size_and_precision(checkpoints: dict[str, Path]) -> None:
    specs = [
        ModelSpec(name=f"{name} {dtype}", source=str(checkpoints[name]), dtype=dtype)
        for name in ("large", "small")
        for dtype in ("float32", "bfloat16")
    ]
    rungs = checked_ladder(Ladder(specs).rungs())
    assert len({rung.quality for rung in rungs}) == 4
    with pytest.raises(ValueError, match="ladder must be best first"):
        checked_ladder(Ladder(specs[::-1]).rungs())


def test_a_rung_without_a_chat_template_is_told_and_allowed(
    tmp_path: Path, checkpoints: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(checkpoints["small"], tmp_path / "bare")
    (folder / "chat_template.jinja").unlink()
    assert len(Ladder([ModelSpec(name="a", source=str(folder))])) == 1
    assert "ladder: rung[0].source: " in caplog.text and "has no chat template" in caplog.text


def test_what_is_quantised_already_is_not_quantised_again(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    folder = shutil.copytree(checkpoints["small"], tmp_path / "int8")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "quantization_config": {"quant_method": "torchao"}}))
    assert Ladder([ModelSpec(name="a", source=str(folder))])
    with pytest.raises(LadderError, match=r"quantisation: .*int8 is quantised by torchao already; leave out"):
        Ladder([ModelSpec(name="a", source=str(folder), quantisation="torchao-int8")])


def test_an_unknown_name_is_told_with_those_that_there_are(checkpoints: dict[str, Path]) -> None:
    with pytest.raises(KeyError, match="no rung is named 'b'; there are a"):
        Ladder([ModelSpec(name="a", source=str(checkpoints["small"]))]).named("b")


def test_a_latency_reaches_the_decisions(checkpoints: dict[str, Path]) -> None:
    assert Ladder([ModelSpec(name="a", source=str(checkpoints["small"]), latency=2.5)]).rungs()[0].latency == 2.5


def test_a_rung_says_what_context_it_has_room_for_and_what_a_further_token_takes(checkpoints: dict[str, Path]) -> None:
    def rung(context: int, device: str = "cpu") -> Rung:
        path = str(checkpoints["large"])
        return Ladder([ModelSpec(name="a", source=path, context=context, device=device)]).rungs()[0]

    size = 2 * 4 * 2 * 128 * 4  # keys and values, layers, key-value heads, head size, float32
    assert (rung(512).context, rung(512).per_token) == (512, {"ram": size})
    assert rung(512, "cuda:1").per_token == {"cuda:1": size}
    grown = with_tokens(rung(512), 700)
    assert grown.need == rung(700).need, "a longer context asked for is one that was kept room for"


def test_a_rung_whose_config_does_not_tell_says_nothing_of_a_token(
    tmp_path: Path, checkpoints: dict[str, Path]
) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").symlink_to(checkpoints["small"] / "model.safetensors")
    assert Ladder([ModelSpec(name="a", source=str(tmp_path))]).rungs()[0].per_token == {}


def test_a_ladder_is_read_without_torch(checkpoints: dict[str, Path]) -> None:
    code = (
        "import sys; from gearshift.models import Ladder, ModelSpec; import gearshift.pipeline\n"
        f"Ladder([ModelSpec(name='a', source={str(checkpoints['small'])!r})]).rungs()\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0


def test_rungs_keep_their_order_as_quality() -> None:
    with pytest.raises(LadderError, match=r"rung\[0\].name: empty"):
        Ladder([ModelSpec(name="", source=".")])
