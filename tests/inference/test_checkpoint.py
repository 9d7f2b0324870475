"""Any picture model of transformers embeds, and a checkpoint that is not safe or whole is refused.

The checkpoints are tiny and their weights random: what is tested is the way through them.
"""

from __future__ import annotations

import json
import pickle
import shutil
import socket
import struct
import sys
from pathlib import Path

import pytest

from castline.inference import checkpoints
from castline.inference.embed import checkpoint as module
from castline.inference.embed.checkpoint import BATCH, CheckpointEmbedder
from castline.schemas.errors import InvalidValueError, MissingDependencyError, UnreadableFileError

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")
pytestmark = pytest.mark.usefixtures("alone")

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = {
    **SMALL, "vocab_size": 40, "intermediate_size": 32, "max_position_embeddings": 8,
    "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2,
}  # fmt: skip
VISION = {**SMALL, "intermediate_size": 64, "patch_size": 14}
SIZES = [(1, 1), (3, 3), (1, 500), (40, 30), (300, 20), (28, 28), (3, 7), (64, 64), (90, 41)]


def _cut(side: int) -> dict:
    return {"size": {"shortest_edge": side + 4}, "crop_size": {"height": side, "width": side}}


def _model(kind: str):
    if kind == "dinov2":
        config = transformers.Dinov2Config(**SMALL, image_size=28, patch_size=14)
        return transformers.Dinov2Model(config), transformers.BitImageProcessorPil(**_cut(28))
    if kind == "dinov3":
        config = transformers.DINOv3ViTConfig(
            **SMALL, intermediate_size=64, image_size=32, patch_size=16, num_register_tokens=4
        )
        processor = transformers.ViTImageProcessorPil(size={"height": 32, "width": 32})
        return transformers.DINOv3ViTModel(config), processor
    if kind == "clip":
        vision = {**VISION, "image_size": 28}
        config = transformers.CLIPConfig(text_config=TEXT, vision_config=vision, projection_dim=24)
        return transformers.CLIPModel(config), transformers.CLIPImageProcessorPil(**_cut(28))
    if kind == "siglip":
        config = transformers.SiglipConfig(
            text_config=TEXT, vision_config={**VISION, "image_size": 28}
        )
        processor = transformers.SiglipImageProcessorPil(size={"height": 28, "width": 28})
        return transformers.SiglipModel(config), processor
    config = transformers.Siglip2Config(
        text_config=TEXT, vision_config={**VISION, "num_patches": 16}
    )
    processor = transformers.Siglip2ImageProcessorPil(patch_size=14, max_num_patches=16)
    return transformers.Siglip2Model(config), processor


KINDS = ("dinov2", "dinov3", "clip", "siglip", "siglip2")


def _save(folder: Path, kind: str, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    model, processor = _model(kind)
    with torch.no_grad():  # fresh weights are so alike that all pictures give one vector
        for weight in model.parameters():
            weight.copy_(torch.randn_like(weight) * (0.3 if weight.ndim > 1 else 0.5))
    with checkpoints.quiet():
        model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a folder with a checkpoint of each kind, by name."""
    home = tmp_path_factory.mktemp("checkpoints")
    return {kind: _save(home / kind, kind) for kind in KINDS}


@pytest.fixture
def folder(saved, tmp_path):
    """Return a copy that a test may spoil."""
    return Path(shutil.copytree(saved["dinov2"], tmp_path / "spoilt"))


@pytest.fixture(scope="module")
def pictures():
    chance = np.random.default_rng(1)
    return [chance.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]


def _change(path: Path, **values) -> None:
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, **values}))


def _refused(folder: Path | str, *says: str, kind=UnreadableFileError, **options) -> str:
    with pytest.raises(kind) as caught:
        CheckpointEmbedder(str(folder), **options)
    text = str(caught.value)
    assert type(caught.value) is kind and "\n" not in text and len(text) < 500
    for part in (str(folder), *says):
        assert part in text, text
    return text


def _direct(path: Path, kind: str, picture):
    """Return the model, and what it answers to one picture without anything of ours."""
    from PIL import Image

    model = transformers.AutoModel.from_pretrained(path, dtype=torch.float32).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(path, backend="pil")
    taken = processor(images=Image.fromarray(picture), return_tensors="pt")
    tower = getattr(model, "vision_model", model)
    with torch.inference_mode():
        answer = tower(**taken)
        features = model.get_image_features(**taken) if kind not in ("dinov2", "dinov3") else None
    return answer, getattr(features, "pooler_output", features), taken


WAYS = [
    *((kind, pooling) for kind in ("dinov2", "dinov3") for pooling in ("cls", "mean", "pooler")),
    *(("clip", pooling) for pooling in module.POOLINGS),
    *((kind, p) for kind in ("siglip", "siglip2") for p in ("mean", "pooler", "image_features")),
]


@pytest.mark.parametrize(("kind", "pooling"), WAYS)
def test_each_pooling_is_what_the_model_itself_says(saved, pictures, kind, pooling):
    embedder = CheckpointEmbedder(str(saved[kind]), pooling=pooling)
    vectors = embedder.embed(pictures)
    assert vectors.shape == (len(pictures), embedder.dimensions) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    number = SIZES.index((90, 41))
    answer, features, taken = _direct(saved[kind], kind, pictures[number])
    tokens = answer.last_hidden_state[0]
    if pooling == "mean" and kind == "siglip2":
        held = int(taken["pixel_attention_mask"].sum())
        assert 0 < held < len(tokens)
        expected = tokens[:held].mean(0)
    elif pooling == "mean":
        before = {"dinov2": 1, "dinov3": 1 + 4, "clip": 1, "siglip": 0}[kind]
        assert len(tokens) == before + 4
        expected = tokens[before:].mean(0)
    elif pooling == "cls":
        expected = tokens[0]
    else:
        expected = answer.pooler_output[0] if pooling == "pooler" else features[0]
    assert np.abs(vectors[number] - (expected / expected.norm()).numpy()).max() < 1e-5


def test_a_picture_s_vector_is_its_own(saved, pictures):
    vectors = CheckpointEmbedder(str(saved["dinov2"])).embed(pictures)
    large = [n for n, size in enumerate(SIZES) if min(size) > 10]
    likeness = vectors[large] @ vectors[large].T - np.eye(len(large))
    assert likeness.max() < 0.999


@pytest.mark.parametrize(
    ("kind", "pooling"),
    [("dinov2", "cls"), ("dinov3", "mean"), ("clip", "image_features"), ("siglip2", "mean")],
)
def test_neither_batch_nor_threads_change_a_vector(saved, pictures, kind, pooling):
    embedder = CheckpointEmbedder(str(saved[kind]), pooling=pooling)
    assert len(pictures) > BATCH
    vectors = embedder.embed(pictures)
    for size in (1, 3):
        parts = [embedder.embed(pictures[n : n + size]) for n in range(0, len(pictures), size)]
        assert np.abs(np.concatenate(parts) - vectors).max() < 1e-5
    assert np.abs(embedder.embed(pictures[::-1])[::-1] - vectors).max() < 1e-5
    torch.set_num_threads(2)
    try:
        assert np.abs(embedder.embed(pictures) - vectors).max() < 1e-5
    finally:
        torch.set_num_threads(1)


def test_nothing_in_is_nothing_out(saved):
    found = CheckpointEmbedder(str(saved["clip"]), pooling="image_features").embed([])
    assert found.shape == (0, 24) and found.dtype == np.float32


def test_a_long_picture_is_its_middle_and_takes_no_room(saved, monkeypatch):
    chance = np.random.default_rng(2)
    middle = chance.integers(0, 256, (40, 40, 3), np.uint8)
    picture = np.zeros((40, 40 * 400, 3), np.uint8)
    picture[:, 20 * 399 : 20 * 401] = middle
    embedder = CheckpointEmbedder(str(saved["dinov2"]), pooling="mean")
    widths = []
    images = checkpoints.images

    def spy(pictures):
        found = images(pictures)
        widths.extend(each.width for each in found)
        return found

    monkeypatch.setattr(checkpoints, "images", spy)
    long, short = embedder.embed([picture, middle])
    assert long @ short > 0.9999 and widths == [160, 40]
    squeezing = CheckpointEmbedder(str(saved["siglip"]), pooling="mean")
    widths.clear()
    squeezing.embed([picture])
    assert widths == [16000]  # squeezed to a square, which takes no room: all of it counts


def test_the_specification_names_what_changes_a_vector(saved, tmp_path):
    plain = CheckpointEmbedder(str(saved["dinov2"])).specification
    assert plain.to_data() == {
        "kind": "checkpoint", "source": plain.to_data()["source"], "revision": "",
        "pooling": "cls", "precision": "float32", "backend": "pil", "size": "own",
    }  # fmt: skip
    assert len(plain.to_data()["source"]) == 64

    moved = shutil.copytree(saved["dinov2"], tmp_path / "elsewhere")
    (moved / "README.md").write_text("of no account")
    assert CheckpointEmbedder(str(moved)).specification == plain

    others = [
        CheckpointEmbedder(str(saved["dinov2"]), pooling="mean").specification.hash,
        CheckpointEmbedder(str(saved["dinov2"]), precision="bfloat16").specification.hash,
        CheckpointEmbedder(str(saved["dinov2"]), size=42).specification.hash,
        CheckpointEmbedder(str(_save(tmp_path / "trained", "dinov2", 1))).specification.hash,
    ]
    _change(moved / "preprocessor_config.json", image_mean=[0.4, 0.4, 0.4])
    others.append(CheckpointEmbedder(str(moved)).specification.hash)
    _change(moved / "config.json", layer_norm_eps=1e-3)
    others.append(CheckpointEmbedder(str(moved)).specification.hash)
    assert len({plain.hash, *others}) == 1 + len(others)


def test_weights_in_parts_are_read(saved, tmp_path, pictures):
    with checkpoints.quiet():
        model = transformers.AutoModel.from_pretrained(saved["dinov2"])
        model.save_pretrained(tmp_path / "parts", max_shard_size="40KB")
    shutil.copy(saved["dinov2"] / "preprocessor_config.json", tmp_path / "parts")
    assert len(list((tmp_path / "parts").glob("*.safetensors"))) > 1
    parts = CheckpointEmbedder(str(tmp_path / "parts"))
    whole = CheckpointEmbedder(str(saved["dinov2"]))
    assert np.abs(parts.embed(pictures) - whole.embed(pictures)).max() < 1e-6
    before = parts.specification.hash
    part = sorted((tmp_path / "parts").glob("*.safetensors"))[-1]
    data = bytearray(part.read_bytes())
    data[-2] ^= 1
    part.write_bytes(data)
    assert CheckpointEmbedder(str(tmp_path / "parts")).specification.hash != before


@pytest.mark.parametrize(
    ("kind", "pooling"),
    [("dinov2", "cls"), ("clip", "image_features"), ("siglip", "mean"), ("dinov3", "cls")],
)
def test_the_model_can_be_given_more_to_see(saved, pictures, kind, pooling):
    embedder = CheckpointEmbedder(str(saved[kind]), pooling=pooling, size=64)
    assert embedder.prepare(pictures)["pixel_values"].shape[-2:] == (64, 64)
    own = CheckpointEmbedder(str(saved[kind]), pooling=pooling)
    assert own.prepare(pictures)["pixel_values"].shape[-1] < 64
    assert np.abs(embedder.embed(pictures) - own.embed(pictures)).max() > 1e-3


class TestPrecision:
    def test_bfloat16_is_close_to_float32(self, saved, pictures):
        exact = CheckpointEmbedder(str(saved["dinov2"]), precision="float32").embed(pictures)
        rough = CheckpointEmbedder(str(saved["dinov2"]), precision="bfloat16")
        vectors = rough.embed(pictures)
        assert rough.specification.to_data()["precision"] == "bfloat16"
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
        assert 0.99 < (exact * vectors).sum(1).min() < 1 - 1e-6

    @pytest.mark.parametrize("has", [False, True])
    @pytest.mark.parametrize("bound", [-1.0, 1.1])
    def test_auto_takes_it_where_there_is_one_and_vectors_stay(
        self, saved, pictures, has, bound, monkeypatch
    ):
        monkeypatch.setattr(module, "has_bfloat16", lambda: has)
        monkeypatch.setattr(module, "SAME", bound)
        embedder = CheckpointEmbedder(str(saved["clip"]), pooling="image_features")
        found = embedder.specification.to_data()["precision"]
        assert found == ("bfloat16" if has and bound < 0 else "float32")
        other = CheckpointEmbedder(
            str(saved["clip"]), pooling="image_features", precision=str(found)
        )
        assert np.array_equal(embedder.embed(pictures), other.embed(pictures))

    def test_one_vector_that_differs_is_enough(self):
        exact = np.eye(3, dtype=np.float32)
        turned = exact.copy()
        turned[2] = (0, 0.0447, 0.999)
        assert module.are_same(exact, exact)
        assert not module.are_same(exact, turned * 0.9999)


def test_a_folder_needs_no_network(saved, monkeypatch):
    def fail(*_args, **_options):
        raise AssertionError("a connection")

    monkeypatch.setattr(sys.modules["huggingface_hub"].constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, fail)
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    for kind in KINDS:
        CheckpointEmbedder(str(saved[kind]), pooling="pooler")


class TestHub:
    """What is no folder is a name on the hub, fetched at one commit."""

    def test_a_name_is_fetched_and_its_commit_noted(self, saved, tmp_path, monkeypatch, pictures):
        commit = "0123456789abcdef0123456789abcdef01234567"
        asked = {}

        def fetch(name, *, revision, allow_patterns, ignore_patterns):
            asked.update(name=name, revision=revision, patterns=allow_patterns)
            return str(shutil.copytree(saved["dinov2"], tmp_path / commit))

        monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
        embedder = CheckpointEmbedder("somebody/some-model", revision="main")
        assert asked["name"] == "somebody/some-model" and asked["revision"] == "main"
        assert not [each for each in asked["patterns"] if each.endswith((".bin", ".py", "*"))]
        data = embedder.specification.to_data()
        assert (data["source"], data["revision"]) == ("somebody/some-model", commit)
        here = CheckpointEmbedder(str(saved["dinov2"]))
        assert np.array_equal(embedder.embed(pictures), here.embed(pictures))

    def test_what_cannot_be_fetched_is_one_line(self):
        _refused("somebody/some-model", "neither a folder nor a checkpoint on the hub")

    @pytest.mark.parametrize("name", ["/no/such/folder", "./here", "a/b/c", "", "../up", "a b"])
    def test_a_path_is_no_name(self, name, monkeypatch):
        monkeypatch.chdir("/")
        if name:
            _refused(name, "no such folder")

    def test_a_file_is_no_folder(self, saved):
        _refused(saved["dinov2"] / "config.json", "no such folder")

    def test_a_folder_has_no_revision(self, saved):
        _refused(saved["dinov2"], "revision 'v2'", kind=InvalidValueError, revision="v2")


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


class TestPickles:
    """What can hold code is never opened."""

    @pytest.fixture
    def hit(self, tmp_path):
        path = tmp_path / "hit"
        yield path
        assert not path.exists()

    @pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "last.ckpt", "w.pkl"])
    def test_a_pickle_alone_is_refused(self, folder, hit, name):
        (folder / "model.safetensors").unlink()
        (folder / name).write_bytes(pickle.dumps(Bomb(hit)))
        _refused(folder, name, "pickle")

    def test_beside_safetensors_it_is_left_alone(self, folder, hit, pictures):
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(hit)))
        CheckpointEmbedder(str(folder)).embed(pictures)

    def test_an_index_may_not_lead_to_one(self, folder, hit):
        (folder / "model.safetensors").unlink()
        (folder / "part.bin").write_bytes(pickle.dumps(Bomb(hit)))
        index = {"metadata": {}, "weight_map": {"embeddings.cls_token": "part.bin"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        _refused(folder, "part.bin", "expected safetensors files")

    def test_nor_outside(self, folder):
        (folder / "model.safetensors").rename(folder.parent / "outside.safetensors")
        index = {"metadata": {}, "weight_map": {"a": "../outside.safetensors"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        _refused(folder, "../outside.safetensors")

    def test_a_pickle_by_the_other_name_is_damage(self, folder, hit):
        (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb(hit)))
        _refused(folder, "model.safetensors", "damage")

    def test_no_weights_at_all(self, folder):
        (folder / "model.safetensors").unlink()
        _refused(folder, "no weights", "expected model.safetensors")


class TestRefusals:
    @pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json"])
    def test_code_of_its_own(self, folder, file, tmp_path):
        (folder / "own.py").write_text(f"open({str(tmp_path / 'hit')!r}, 'w')")
        own = {"AutoConfig": "own.C", "AutoModel": "own.M", "AutoImageProcessor": "own.P"}
        _change(folder / file, auto_map=own)
        _refused(folder, file, "auto_map")
        assert not (tmp_path / "hit").exists()

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("quantization_config", {"quant_method": "bitsandbytes"}),
            ("transformers_weights", "other.safetensors"),
            ("attn_implementation", "somebody/kernel"),
            ("_attn_implementation", "flash_attention_2"),
        ],
    )
    def test_what_would_fetch_or_run_more(self, folder, key, value):
        _change(folder / "config.json", **{key: value})
        _refused(folder, key)

    @pytest.mark.parametrize(
        "text", ["", "{", "[1]", "\0\0", '{"a": ' * 5000, '{"model_type": 3}']
    )
    def test_an_unreadable_configuration(self, folder, text):
        (folder / "config.json").write_text(text)
        _refused(folder, "config.json")

    def test_no_configuration(self, folder):
        (folder / "config.json").unlink()
        _refused(folder, "no config.json")

    @pytest.mark.parametrize("kind", ["frobnicate", "timm_wrapper", ""])
    def test_an_unknown_architecture(self, folder, kind):
        _change(folder / "config.json", model_type=kind)
        _refused(folder, repr(kind), "transformers")

    @pytest.mark.parametrize("kind", ["clip", "bert", "vit", "resnet", "dinov3_vit"])
    def test_another_architecture_lacks_weights(self, folder, kind):
        _change(folder / "config.json", model_type=kind)
        with pytest.raises((UnreadableFileError, InvalidValueError)) as caught:
            CheckpointEmbedder(str(folder))
        assert str(folder) in str(caught.value) and "\n" not in str(caught.value)

    def test_a_model_of_text(self, tmp_path, folder):
        model = transformers.BertModel(transformers.BertConfig(**TEXT))
        with checkpoints.quiet():
            model.save_pretrained(tmp_path / "text")
        shutil.copy(folder / "preprocessor_config.json", tmp_path / "text")
        _refused(tmp_path / "text", "do not work together", kind=InvalidValueError)

    def test_values_of_another_type(self, folder):
        _change(folder / "config.json", num_attention_heads="two")
        _refused(folder, "no model that can be loaded")

    def test_nothing_on_how_pictures_come(self, folder):
        (folder / "preprocessor_config.json").unlink()
        _refused(folder, "expected preprocessor_config.json")

    def test_an_unknown_way_for_pictures(self, folder):
        _change(folder / "preprocessor_config.json", image_processor_type="NoSuchProcessor")
        with pytest.raises((UnreadableFileError, InvalidValueError), match="spoilt"):
            CheckpointEmbedder(str(folder))

    @pytest.mark.parametrize("keep", [0, 7, 100, 5000, -1])
    def test_weights_cut_off(self, folder, keep):
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:keep])
        _refused(folder, "model.safetensors", "damage")

    def test_weights_with_a_wrong_head(self, folder):
        path = folder / "model.safetensors"
        path.write_bytes(struct.pack("<Q", 1 << 60) + path.read_bytes()[8:])
        _refused(folder, "model.safetensors", "damage")

    def test_missing_weights(self, folder):
        from safetensors.torch import load_file, save_file

        weights = load_file(folder / "model.safetensors")
        del weights["layernorm.weight"]
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        _refused(folder, "1 weights missing", "layernorm.weight", kind=InvalidValueError)

    def test_weights_of_another_shape(self, folder):
        _change(folder / "config.json", mlp_ratio=2)
        with pytest.raises((UnreadableFileError, InvalidValueError), match="spoilt") as caught:
            CheckpointEmbedder(str(folder))
        assert "\n" not in str(caught.value)

    def test_weights_that_are_no_numbers(self, folder):
        from safetensors.torch import load_file, save_file

        weights = load_file(folder / "model.safetensors")
        weights["layernorm.weight"][0] = float("nan")
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        _refused(folder, "without length", kind=InvalidValueError)

    @pytest.mark.parametrize(
        ("file", "values", "says"),
        [
            ("config.json", {"image_size": 4096}, "2048"),
            ("config.json", {"image_size": [14, 4096]}, "2048"),
            ("config.json", {"hidden_size": 32768}, "16384"),
            ("config.json", {"vision_config": {"projection_dim": 1 << 40}}, "16384"),
            ("config.json", {"num_hidden_layers": 10**9}, "256"),
            ("config.json", {"num_hidden_layers": 100, "hidden_size": 16384}, "its files hold"),
            ("preprocessor_config.json", {"size": {"shortest_edge": 2049}}, "2048"),
            ("preprocessor_config.json", {"crop_size": {"height": 9999, "width": 8}}, "2048"),
            ("preprocessor_config.json", {"size": 10**6}, "2048"),
        ],
    )
    def test_what_is_too_large(self, folder, file, values, says):
        _change(folder / file, **values)
        _refused(folder, file, says, kind=InvalidValueError)

    def test_pictures_of_many_sizes(self, folder):
        _change(folder / "preprocessor_config.json", do_center_crop=False)
        _refused(folder, "do not work together", kind=InvalidValueError)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("dinov2", {"pooling": "image_features"}),
        ("siglip", {"pooling": "cls"}),
        ("siglip2", {"pooling": "cls"}),
        ("siglip2", {"pooling": "mean", "size": 42}),
    ],
)
def test_what_a_model_does_not_have_is_refused(saved, kind, options):
    _refused(saved[kind], "expected", kind=InvalidValueError, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pooling": "max"}, "pooling: found 'max', expected cls, mean"),
        ({"precision": "int8"}, "precision: found 'int8'"),
        ({"size": 0}, "size: found 0"),
        ({"size": 2049}, "size: found 2049"),
    ],
)
def test_options_have_bounds(saved, options, says):
    with pytest.raises(InvalidValueError, match=says):
        CheckpointEmbedder(str(saved["dinov2"]), **options)


def test_without_transformers_the_extra_is_named(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependencyError, match=r"^pip install 'castline\[torch\]'$"):
        CheckpointEmbedder(str(saved["dinov2"]))
