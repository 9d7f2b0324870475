"""How a take was made is read from where its program wrote it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import makers
import pytest
from PIL import Image

from castline.adapters.material import generation
from castline.schemas.errors import UnreadableFileError
from castline.schemas.values import Generation

GRAPH = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a quay", "clip": ["1", 1]}},
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 0, "steps": 4, "model": ["1", 0], "positive": ["2", 0]},
    },
    "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
}
A1111 = (
    "a quay,\nat night <lora:rain:0.8>\nNegative prompt: people, cars\nSteps: 20, "
    "Sampler: DPM++ 2M, CFG scale: 7.5, Seed: 18446744073709551615, Size: 512x768, Model: x, "
    'Lora hashes: "rain: aa, fog: bb", Version: v1.10.1, Civitai resources: [{"w": 1.0}]'
)


def check_record(found, text):
    assert found.record == text
    assert found.record_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert Generation.from_data(found.to_data()) == found


def test_a_comfyui_png_gives_its_graph_and_keeps_it_verbatim(tmp_path):
    text = json.dumps(GRAPH, indent=1).replace('"steps": 4', '"steps": 4, "x": NaN')
    path = makers.make_png(tmp_path / "a.png", {"workflow": "{}", "prompt": text})
    found = generation.read(path)
    assert (found.tool, found.model, found.prompt) == ("ComfyUI", "m.safetensors", "a quay")
    assert found.seed == 0
    assert found.to_data()["seed"] == 0
    check_record(found, text)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
def test_a_comfyui_movie_gives_the_graph_in_its_tags(tmp_path, name):
    codec = "libvpx-vp9" if name.endswith("webm") else "mpeg4"
    tags = {"prompt": json.dumps(GRAPH), "workflow": '{"nodes": [], "links": []}'}
    path = makers.make_movie(tmp_path / name, frames=3, codec=codec, tags=tags)
    found = generation.read(path)
    assert (found.prompt, found.seed) == ("a quay", 0)
    check_record(found, tags["prompt"])


@pytest.mark.parametrize("inner", [json.dumps(GRAPH), GRAPH])
def test_the_comment_of_video_combine_gives_graph_and_time(tmp_path, inner):
    comment = json.dumps({"prompt": inner, "workflow": {}, "CreationTime": "2026-11-20 09:30:00"})
    path = makers.make_movie(tmp_path / "a.mp4", frames=3, tags={"comment": comment})
    found = generation.read(path)
    assert (found.prompt, found.created) == ("a quay", "2026-11-20 09:30:00")
    check_record(found, comment)


def test_a_movie_without_record_takes_that_of_the_still_beside_it(tmp_path):
    makers.make_movie(tmp_path / "a_00001-audio.mp4", frames=3)
    assert generation.read(tmp_path / "a_00001-audio.mp4") is None
    makers.make_png(tmp_path / "a_00001.png", {"prompt": json.dumps(GRAPH)})
    assert generation.read(tmp_path / "a_00001-audio.mp4").prompt == "a quay"


def test_a_graph_of_the_editor_alone_is_kept_without_a_view(tmp_path):
    text = '{"nodes": [{"id": 1}], "links": []}'
    found = generation.read(makers.make_png(tmp_path / "a.png", {"workflow": text}))
    assert found == generation.make({"tool": "ComfyUI"}, text)


def test_the_text_of_automatic1111_is_taken_apart(tmp_path):
    found = generation.read(makers.make_png(tmp_path / "a.png", {"parameters": A1111}))
    assert found.tool == "AUTOMATIC1111"
    assert (found.tool_version, found.model) == ("v1.10.1", "x")
    assert found.prompt == "a quay,\nat night <lora:rain:0.8>"
    assert found.negative_prompt == "people, cars"
    assert found.seed == 18446744073709551615
    assert found.parameters == {
        "Steps": 20,
        "Sampler": "DPM++ 2M",
        "CFG scale": 7.5,
        "Size": "512x768",
        "Lora hashes": "rain: aa, fog: bb",
        "Civitai resources": [{"w": 1.0}],
    }
    check_record(found, A1111)


def test_a_prompt_that_speaks_of_steps_is_not_cut(tmp_path):
    text = "stairs\nSteps: many of them\nSteps: 20, Seed: 3"
    found = generation.read(makers.make_png(tmp_path / "a.png", {"parameters": text}))
    assert (found.prompt, found.seed) == ("stairs\nSteps: many of them", 3)
    assert found.negative_prompt is None


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_the_user_comment_is_read_in_either_byte_order(tmp_path, encoding, suffix):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode(encoding)
    Image.new("RGB", (4, 4)).save(tmp_path / f"a.{suffix}", exif=exif)
    found = generation.read(tmp_path / f"a.{suffix}")
    assert (found.seed, found.model) == (18446744073709551615, "x")
    check_record(found, A1111)


def test_the_graph_in_the_camera_fields_of_a_webp_is_found(tmp_path):
    exif = Image.Exif()
    exif[0x110] = "prompt:" + json.dumps(GRAPH)
    exif[0x10F] = "workflow:{}"
    Image.new("RGB", (4, 4)).save(tmp_path / "a.webp", exif=exif)
    check_record(generation.read(tmp_path / "a.webp"), json.dumps(GRAPH))


def test_novelai_keeps_its_model_beside_the_comment(tmp_path):
    comment = '{"prompt": "a quay", "uc": "people", "seed": 4, "steps": 28, "scale": 5.0}'
    tags = {"Software": "NovelAI", "Source": "Diffusion V4", "Comment": comment}
    found = generation.read(makers.make_png(tmp_path / "a.png", tags))
    assert (found.tool, found.model, found.seed) == ("NovelAI", "Diffusion V4", 4)
    assert (found.negative_prompt, found.parameters) == ("people", {"steps": 28, "scale": 5.0})


def test_the_digital_source_type_is_read_from_xmp(tmp_path):
    uri = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    xmp = f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{uri}"/>'
    path = makers.make_png(tmp_path / "a.png", {"XML:com.adobe.xmp": xmp})
    assert generation.read(path) == Generation(digital_source_type=uri)
    path = makers.make_png(tmp_path / "b.png", {"XML:com.adobe.xmp": xmp, "parameters": A1111})
    assert generation.read(path).digital_source_type == uri
    assert generation.read(path).model == "x"


def test_the_record_beside_the_media_comes_first_and_is_kept_verbatim(tmp_path):
    path = makers.make_png(tmp_path / "a.png", {"parameters": A1111})
    text = json.dumps(
        {
            "Tool": "Veo",
            "model": "veo-3",
            "prompt": "a quay \ud83d",
            "seed": "18446744073709551615",
            "created_at": "2026-11-20T09:30:00Z",
            "inputs": ["board.png"],
            "aspect": "16:9",
            "big": 2**70,
            "parameters": {"fps": 24},
        }
    )
    (tmp_path / "a.json").write_text(text)
    found = generation.read(path)
    assert (found.tool, found.model, found.prompt) == ("Veo", "veo-3", "a quay \ufffd")
    assert (found.seed, found.created) == (18446744073709551615, "2026-11-20T09:30:00Z")
    assert found.inputs == ("board.png",)
    assert found.parameters == {"aspect": "16:9", "big": str(2**70), "fps": 24}
    check_record(found, text)
    (tmp_path / "a.png.json").write_text(json.dumps(GRAPH))
    assert generation.read(path).tool == "ComfyUI"


def test_json_beside_the_media_that_is_about_something_else_is_passed_over(tmp_path):
    path = makers.make_png(tmp_path / "a.png", {"parameters": A1111})
    for text in ("[1, 2]", '{"name": "a", "license": "x"}', "3", '{"model": "ARRI"}'):
        (tmp_path / "a.json").write_text(text)
        assert generation.read(path).tool == "AUTOMATIC1111"


@pytest.mark.parametrize("text", ["", "{", "[" * 50_000])
def test_a_damaged_record_beside_the_media_is_one_line(tmp_path, text):
    path = makers.make_png(tmp_path / "a.png")
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UnreadableFileError, match=r"a\.json: found") as caught:
        generation.read(path)
    assert "\n" not in str(caught.value)


def test_fields_of_the_wrong_kind_stay_visible_in_the_parameters(tmp_path):
    path = makers.make_png(tmp_path / "a.png")
    record = {"prompt": ["a", "b"], "seed": 1.5, "model": {"id": 3}, "tool": "T", "created": 2026}
    record["negative_prompt"] = record["inputs"] = None
    (tmp_path / "a.json").write_text(json.dumps(record))
    assert generation.read(path) is None  # neither a prompt nor a seed that can be told
    (tmp_path / "a.json").write_text(json.dumps({**record, "prompt": "p"}))
    found = generation.read(path)
    assert (found.seed, found.created, found.tool) == (None, "2026", "T")
    assert found.parameters == {"seed": 1.5, "model": {"id": 3}}


def test_a_sequence_takes_the_record_of_its_name_or_its_first_frame(tmp_path):
    for number in (1001, 1002):
        makers.make_png(tmp_path / f"s.{number}.png", {"parameters": A1111})
    assert generation.read(tmp_path / "s.####.png").model == "x"
    (tmp_path / "s.1001.json").write_text('{"prompt": "first frame"}')
    assert generation.read(tmp_path / "s.[1001-1002].png").prompt == "first frame"
    (tmp_path / "s.json").write_text('{"prompt": "whole shot"}')
    assert generation.read(tmp_path).prompt == "whole shot"


@pytest.mark.parametrize("text", ["{", "{}", "[]", "{'seed': 1}", '{"prompt": "{"}', "plain"])
def test_texts_that_say_nothing_say_nothing(tmp_path, text):
    tags = {"prompt": text, "comment": text, "parameters": text}
    found = generation.read(makers.make_png(tmp_path / "a.png", tags))
    assert found is None or found.prompt == "{"


@pytest.fixture
def generated():
    return Path(__file__).resolve().parents[2] / "../shared/corpus/generated"


DUCK = {
    "tool": "AUTOMATIC1111",
    "model": "realistic_realisticVisionV20_v20",
    "prompt": "photo of a duck",
    "negative_prompt": "monochrome",
    "seed": 235284042,
    "parameters": {
        "Steps": 15,
        "Sampler": "UniPC",
        "CFG scale": 5,
        "Size": "512x400",
        "Model hash": "c0d1994c73",
    },
}
EXPECTED = {
    "automatic1111_cropped.png": DUCK,
    "automatic1111_cropped.jpg": DUCK,
    "bad/text_after_idat.png": DUCK,
    "invokeai_imeta1.png": {
        "tool": "InvokeAI",
        "seed": 3293022630,
        "model": "juggernautXL",
        "parameters": {
            "generation_mode": "sdxl_txt2img",
            "steps": 35,
            "scheduler": "euler",
            "cfg_scale": 8.0,
            "width": 1024,
            "height": 1024,
        },
    },
    "fooocus1_cropped.png": {
        "tool": "Fooocus",
        "tool_version": "v2.4.3",
        "seed": 6952411511246973023,
        "model": "juggernautXL_v8Rundiffusion",
        "prompt": "a smiling goldfish",
        "parameters": {
            "base_model_hash": "aeb7e9e689",
            "clip_skip": 2,
            "steps": 30,
            "sampler": "dpmpp_2m_sde_gpu",
        },
    },
    "lora.png": {
        "tool": "ComfyUI",
        "seed": 851616030078638,
        "model": "v1-5-pruned-emaonly.ckpt",
        "prompt": "masterpiece best quality girl",
        "negative_prompt": "bad hands",
        "parameters": {
            "steps": 20,
            "cfg": 8.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "width": 512,
            "height": 512,
            "loras": [
                {
                    "name": "epiNoiseoffset_v2.safetensors",
                    "strength_model": 1.0,
                    "strength_clip": 1.0,
                }
            ],
        },
    },
    "esrgan_example.png": {
        "seed": 833543590226030,
        "model": "v1-5-pruned-emaonly.ckpt",
        "parameters": {
            "steps": 20,
            "width": 512,
            "height": 512,
            "upscale_model": "RealESRGAN_x2.pth",
        },
    },
    "sdxlturbo_example.png": {
        "seed": 0,
        "model": "sd_xl_turbo_1.0_fp16.safetensors",
        "negative_prompt": "text, watermark",
        "parameters": {
            "steps": 1,
            "cfg": 1.0,
            "sampler_name": "euler_ancestral",
            "scheduler": "SDTurboScheduler",
        },
    },
    "night_evening_day_morning_cropped.png": {
        "seed": 1122440447966177,
        "model": "AbyssOrangeMix2_hard.safetensors",
        "parameters": {
            "steps": 14,
            "cfg": 7.0,
            "sampler_name": "dpmpp_2m",
            "denoise": 0.5,
            "width": 1088,
            "height": 1920,
            "vae": "vae-ft-mse-840000-ema-pruned.safetensors",
            "stop_at_clip_layer": -2,
        },
    },
    "mochi_simple_checkpoint.webp": {
        "seed": 93806664037998,
        "model": "mochi_preview_fp8_scaled.safetensors",
        "negative_prompt": "",
        "parameters": {
            "steps": 30,
            "cfg": 4.5,
            "sampler_name": "euler",
            "scheduler": "simple",
            "width": 848,
            "height": 480,
            "length": 25,
            "fps": 24.0,
        },
    },
}


@pytest.mark.corpus
@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file_gives_what_its_program_wrote(generated, name):
    found = generation.read(generated / name)
    data = found.to_data()
    expected = EXPECTED[name]
    parameters = {key: data["parameters"][key] for key in expected["parameters"]}
    assert {key: data[key] for key in expected} | {"parameters": parameters} == expected
    check_record(found, found.record)


@pytest.mark.corpus
def test_the_real_two_pass_graph_keeps_both_passes_and_every_text(generated):
    found = generation.read(generated / "night_evening_day_morning_cropped.png")
    first, last = found.parameters["passes"]
    assert (first["seed"], first["steps"], first["cfg"]) == (335608130539327, 13, 8.5)
    assert (first["sampler_name"], first["models"]) == ("dpmpp_sde", ["Anything-V3.0.ckpt"])
    assert len(first["prompts"]) == 5
    assert sum("night:1.3" in text for text in first["prompts"]) == 1
    assert (last["seed"], last["denoise"]) == (1122440447966177, 0.5)
    assert found.prompt == last["prompts"][0]


@pytest.mark.corpus
def test_the_real_invokeai_file_keeps_its_adapter_and_vae(generated):
    parameters = generation.read(generated / "invokeai_imeta1.png").parameters
    assert len(parameters["ipAdapters"]) == 1
    assert parameters["vae"]["model_name"] == "VAEFix"


@pytest.mark.corpus
def test_an_empty_file_is_refused_and_photographs_say_nothing(generated):
    with pytest.raises(UnreadableFileError, match="0 bytes"):
        generation.read(generated / "bad" / "empty_file.png")
    for name in ("obama.jpg", "biden.jpg", "alex-lacamoire.png", "short_hamilton_clip.mp4"):
        assert generation.read(generated.parent / "faces" / name) is None
