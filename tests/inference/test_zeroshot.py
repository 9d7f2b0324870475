"""Figures are found by name with OWLv2 and both Grounding DINOs, within the picture, surest first.

The checkpoints are tiny, their weights random, and their boxes bent to where they are wanted.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

from castline.inference import checkpoints
from castline.inference.find import zeroshot
from castline.inference.find.box import Box, Found, surest
from castline.inference.find.zeroshot import ZeroShotFinder
from castline.schemas.errors import InvalidValueError, MissingDependencyError, UnreadableFileError

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")
pytestmark = pytest.mark.usefixtures("alone")

TOWER = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
         "intermediate_size": 32}  # fmt: skip
HEIGHT, WIDTH = 60, 80
KINDS = ("owlv2", "grounding", "mm")
needs_scipy = pytest.mark.skipif(
    importlib.util.find_spec("scipy") is None, reason="scipy is not installed"
)
EACH = [pytest.param(kind, marks=needs_scipy if kind == "owlv2" else ()) for kind in KINDS]


def _owl():
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["!", "<|startoftext|>", "<|endoftext|>", *letters, *(f"{c}</w>" for c in letters)]
    config = transformers.Owlv2Config(
        text_config={**TOWER, "vocab_size": len(words), "pad_token_id": 0, "bos_token_id": 1,
                     "eos_token_id": 2},
        vision_config={**TOWER, "image_size": 64, "patch_size": 16},
        projection_dim=16,
    )  # fmt: skip
    numbers = {word: number for number, word in enumerate(words)}
    tokens = transformers.CLIPTokenizer(
        vocab=numbers, merges=[], model_max_length=16, pad_token="!"
    )
    processor = transformers.Owlv2Processor(
        image_processor=transformers.Owlv2ImageProcessorPil(size={"height": 64, "width": 64}),
        tokenizer=tokens,
    )
    return transformers.Owlv2ForObjectDetection(config), processor


def _grounding(kind: str):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "character", "person"]
    before = "MM" if kind == "mm" else ""
    swin = transformers.SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2],
        window_size=2, out_indices=[2, 3, 4],
    )  # fmt: skip
    text = {**TOWER, "vocab_size": len(words), "max_position_embeddings": 32}
    config = getattr(transformers, f"{before}GroundingDinoConfig")(
        backbone_config=swin, text_config=transformers.BertConfig(**text), d_model=64,
        encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=32, decoder_ffn_dim=32, num_queries=12, max_text_len=16,
    )  # fmt: skip
    processor = transformers.GroundingDinoProcessor(
        image_processor=transformers.GroundingDinoImageProcessorPil(
            size={"shortest_edge": 64, "longest_edge": 96}
        ),
        tokenizer=transformers.BertTokenizer(vocab={word: n for n, word in enumerate(words)}),
    )
    return getattr(transformers, f"{before}GroundingDinoForObjectDetection")(config), processor


def _bend(model) -> None:
    """Let boxes be moderate, some beyond the picture, and scores spread over 0 to 1."""
    with torch.no_grad():
        if hasattr(model, "box_head"):
            model.box_head.dense2.weight.zero_()
            model.box_head.dense2.bias.copy_(torch.tensor([0.0, 0.0, 1.0, 1.0]))
            model.class_head.logit_shift.weight.normal_(0, 0.02)
            model.class_head.logit_scale.weight.zero_()
        else:
            for head in model.bbox_embed:
                head.layers[-1].weight.zero_()
                head.layers[-1].bias.copy_(torch.tensor([0.0, 0.0, 1.5, 1.5]))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a folder with a checkpoint of each kind, by name."""
    home = tmp_path_factory.mktemp("detectors")
    for kind in KINDS:
        torch.manual_seed(3)
        model, processor = _owl() if kind == "owlv2" else _grounding(kind)
        _bend(model)
        with checkpoints.quiet():
            model.save_pretrained(home / kind)
        processor.save_pretrained(home / kind)
    return {kind: home / kind for kind in KINDS}


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def _raw(finder, kind, picture):
    """Return edges and scores as the model itself gives them, without any of the processor's ways.

    OWLv2 pads below and beside to a square, so that its boxes are shares of the longer side.
    """
    from PIL import Image

    text = [["character"]] if kind == "owlv2" else "character."
    taken = finder._processor(images=Image.fromarray(picture), text=text, return_tensors="pt")
    with torch.inference_mode():
        answer = finder._model(**taken)
    x, y, width, height = answer.pred_boxes[0].double().unbind(-1)
    edges = torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], -1)
    sides = (80, 80, 80, 80) if kind == "owlv2" else (80, 60, 80, 60)
    scores = answer.logits[0].sigmoid().max(-1).values
    return (edges * torch.tensor(sides)).tolist(), scores.tolist()


@pytest.mark.parametrize("kind", EACH)
def test_boxes_are_the_models_within_the_picture_and_the_surest_first(
    saved, picture, kind, monkeypatch
):
    monkeypatch.setattr(zeroshot, "SAME", 1.0)  # keep all: which are one is tested below
    finder = ZeroShotFinder(str(saved[kind]), threshold=0.0)
    (found,) = finder.find([picture])
    edges, scores = _raw(finder, kind, picture)
    assert any(left < 0 or right > WIDTH for left, _, right, _ in edges)
    assert any(top < 0 or bottom > HEIGHT for _, top, _, bottom in edges)
    expected = {}
    for (left, top, right, bottom), score in zip(edges, scores, strict=True):
        box = Box(
            max(round(left), 0), max(round(top), 0),
            min(round(right), WIDTH) - 1, min(round(bottom), HEIGHT) - 1,
        )  # fmt: skip
        if box.left <= box.right and box.top <= box.bottom:
            expected[box] = max(score, expected.get(box, 0))
    assert len(found) > 5
    assert {each.box for each in found} == set(expected)
    for each in found:
        assert 0 <= each.box.left <= each.box.right < WIDTH
        assert 0 <= each.box.top <= each.box.bottom < HEIGHT
        assert all(type(edge) is int for edge in vars(each.box).values())
    assert max(each.confidence for each in found) == pytest.approx(max(expected.values()), 1e-5)
    confidences = [each.confidence for each in found]
    assert confidences == sorted(confidences, reverse=True) and len(set(confidences)) > 3


@pytest.mark.parametrize("kind", EACH)
def test_the_threshold_leaves_out_what_is_less_sure(saved, picture, kind):
    (everything,) = ZeroShotFinder(str(saved[kind]), threshold=0.0).find([picture])
    bound = (everything[1].confidence + everything[2].confidence) / 2
    (few,) = ZeroShotFinder(str(saved[kind]), threshold=bound).find([picture])
    assert few == everything[:2]
    assert ZeroShotFinder(str(saved[kind]), threshold=1.0).find([picture]) == [[]]


@pytest.mark.parametrize("kind", EACH)
def test_each_picture_is_looked_at_alone(saved, picture, kind):
    finder = ZeroShotFinder(str(saved[kind]), threshold=0.0)
    others = [picture[:30], picture[:1, :1], picture[:3, :50], np.ascontiguousarray(picture[::-1])]
    alone = [finder.find([each])[0] for each in (picture, *others)]
    assert finder.find([picture, *others]) == alone
    assert finder.find([]) == []
    assert alone[0] != alone[-1]


@pytest.mark.parametrize("kind", EACH)
def test_the_specification_names_what_changes_a_box(saved, kind, tmp_path):
    plain = ZeroShotFinder(str(saved[kind])).specification
    data = plain.to_data()
    assert data["prompt"] == "character" and data["threshold"] == 0.25
    assert str(saved[kind]) not in json.dumps(data)
    moved = shutil.copytree(saved[kind], tmp_path / "elsewhere")
    assert ZeroShotFinder(str(moved)).specification == plain
    hashes = {
        plain.hash,
        ZeroShotFinder(str(moved), prompt="person").specification.hash,
        ZeroShotFinder(str(moved), threshold=0.3).specification.hash,
    }
    tokens = moved / "tokenizer.json"
    tokens.write_text(tokens.read_text() + "\n")
    hashes.add(ZeroShotFinder(str(moved)).specification.hash)
    assert len(hashes) == 4


@pytest.mark.parametrize("kind", EACH)
def test_the_words_count(saved, picture, kind):
    one = ZeroShotFinder(str(saved[kind]), threshold=0.0).find([picture])
    other = ZeroShotFinder(str(saved[kind]), threshold=0.0, prompt="person").find([picture])
    assert [each.confidence for each in one[0]] != [each.confidence for each in other[0]]
    again = ZeroShotFinder(str(saved[kind]), threshold=0.0, prompt=" character ").find([picture])
    assert again == one


def test_several_boxes_around_one_figure_are_one():
    first, near, apart = Box(0, 0, 99, 99), Box(5, 0, 99, 99), Box(0, 0, 99, 60)
    found = [Found(near, 0.5), Found(apart, 0.4), Found(first, 0.9)]
    assert first.overlap(near) > 0.7 > first.overlap(apart)
    assert [each.box for each in surest(found, zeroshot.SAME)] == [first, apart]


def test_edges_beyond_are_cut_and_what_is_outside_is_nothing():
    assert zeroshot._clipped((-20.2, -3, 500, 900), 60, 80) == Box(0, 0, 79, 59)
    assert zeroshot._clipped((10.4, 20.6, 30.4, 40.6), 60, 80) == Box(10, 21, 29, 40)
    assert zeroshot._clipped((10, 60, 30, 80), 60, 80) is None
    assert zeroshot._clipped((-30, 0, 0, 30), 60, 80) is None
    assert zeroshot._clipped((10.1, 5, 10.2, 9), 60, 80) is None
    assert zeroshot._clipped((30, 5, 10, 9), 60, 80) is None
    assert zeroshot._clipped((float("nan"), 0, 5, 5), 60, 80) is None
    assert zeroshot._clipped((0, 0, float("inf"), 5), 60, 80) is None


class TestRefusals:
    @pytest.fixture
    def folder(self, saved, tmp_path):
        return Path(shutil.copytree(saved["grounding"], tmp_path / "spoilt"))

    def _refused(self, folder, *says, kind=UnreadableFileError, **options):
        with pytest.raises(kind) as caught:
            ZeroShotFinder(str(folder), **options)
        text = str(caught.value)
        assert type(caught.value) is kind and "\n" not in text
        for part in says:
            assert part in text, text

    def test_another_kind_of_model(self, folder):
        config = transformers.Dinov2Config(hidden_size=32, num_hidden_layers=1)
        config.num_attention_heads = 2
        with checkpoints.quiet():
            transformers.Dinov2Model(config).save_pretrained(folder)
        self._refused(folder, "dinov2", "expected grounding-dino, mm-grounding-dino, owlv2")

    def test_a_pickle(self, folder):
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        self._refused(folder, str(folder), "pickle")

    @pytest.mark.parametrize(
        "file", ["config.json", "processor_config.json", "tokenizer_config.json"]
    )
    def test_code_of_its_own(self, folder, file):
        data = json.loads((folder / file).read_text())
        own = {"AutoProcessor": "own.P", "AutoTokenizer": ["own.T", None]}
        (folder / file).write_text(json.dumps({**data, "auto_map": own}))
        self._refused(folder, str(folder), file, "auto_map")

    def test_damaged_weights(self, folder):
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-9])
        self._refused(folder, str(folder), "damage")

    def test_missing_weights(self, folder):
        from safetensors.torch import load_file, save_file

        weights = load_file(folder / "model.safetensors")
        name = next(key for key in weights if "bbox_embed" in key)
        del weights[name]
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        self._refused(folder, str(folder), "missing", kind=InvalidValueError)

    def test_no_words(self, folder):
        (folder / "tokenizer.json").unlink()
        self._refused(folder, str(folder), "no vocabulary", "tokenizer.json")

    def test_damaged_words(self, folder):
        path = folder / "tokenizer.json"
        path.write_text(path.read_text()[:-40])
        self._refused(folder, str(folder), "no processor that can be loaded")

    def test_no_way_for_pictures(self, folder):
        (folder / "processor_config.json").unlink()
        self._refused(folder, str(folder), "preprocessor_config.json")

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"prompt": " "}, "prompt: found ' '"),
            ({"prompt": "."}, "prompt"),
            ({"prompt": "x" * 201}, "prompt"),
            ({"threshold": -0.1}, "threshold: found -0.1, expected 0 to 1"),
            ({"threshold": float("nan")}, "threshold"),
        ],
    )
    def test_options_have_bounds(self, folder, options, says):
        self._refused(folder, says, kind=InvalidValueError, **options)

    def test_more_words_than_the_model_takes(self, folder):
        self._refused(folder, str(folder), kind=InvalidValueError, prompt="person " * 28)

    def test_owlv2_needs_scipy(self, saved, monkeypatch):
        monkeypatch.setitem(sys.modules, "scipy", None)
        monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
        self._refused(saved["owlv2"], "castline[torch]", kind=MissingDependencyError)

    def test_without_transformers_the_extra_is_named(self, folder, monkeypatch):
        monkeypatch.setitem(sys.modules, "transformers", None)
        self._refused(folder, "pip install 'castline[torch]'", kind=MissingDependencyError)
