"""dlib's face network as a checkpoint of transformers: real weights for the common way.

save(Path("dlib-face"))
CheckpointEmbedder("dlib-face", pooling="pooler")
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from castline.inference import networks, packages
from castline.inference.checkpoints import quiet, require_transformers
from castline.inference.embed.face import SIDE, padded_sum
from castline.inference.layers import MEAN, SCALE
from castline.schemas.errors import UnwritableFileError

MODEL_TYPE = "castline_face"


def register() -> None:
    """Make the network known to transformers' automatic classes.

    Raises `MissingDependencyError` without transformers.
    """
    transformers = require_transformers()
    config, model = _classes()
    transformers.AutoConfig.register(MODEL_TYPE, config, exist_ok=True)
    transformers.AutoModel.register(config, model, exist_ok=True)


def save(folder: Path) -> None:
    """Write the network to a folder, which is made: configuration, weights, how pictures come.

    Raises `MissingDependencyError` where the weights, or transformers, are not installed, and
    `UnwritableFileError`.
    """
    config, model = _classes()
    import torch

    network = networks.read(packages.weights(packages.FACE_NETWORK))
    shapes = []
    for each in network.convolutions:
        outside, inside, side, _ = each.weights.shape
        shapes.append([inside, outside, side, each.stride, each.padding])
    made = model(config(convolutions=shapes, dimensions=network.head.shape[1]))
    with torch.no_grad():
        for layer, each in zip(made.convolutions, network.convolutions, strict=True):
            layer.weight.copy_(torch.from_numpy(each.weights.copy()))
            layer.bias.copy_(torch.from_numpy(each.bias.copy()))
        made.head.weight.copy_(torch.from_numpy(network.head.T.copy()))
    try:
        with quiet():
            made.save_pretrained(folder)
        text = json.dumps(_pictures(), indent=2)
        (folder / "preprocessor_config.json").write_text(text + "\n", "utf-8")
    except OSError as error:
        raise UnwritableFileError(f"{folder}: {error.strerror}") from None


def _pictures() -> dict[str, Any]:
    """Return how a picture becomes what the network takes: (pixels - MEAN) / SCALE."""
    return {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": SIDE, "width": SIDE},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / SCALE,
        "do_normalize": True,
        "image_mean": [mean / SCALE for mean in MEAN],
        "image_std": [1.0, 1.0, 1.0],
    }


@cache
def _classes() -> tuple[Any, Any]:
    """Return the classes of the configuration and the model, made when they are first needed."""
    require_transformers()
    from torch import nn
    from torch.nn import functional
    from transformers import PreTrainedConfig, PreTrainedModel
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    class FaceConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
        """The shapes of the convolutions: channels in and out, side, stride and padding."""

        model_type = MODEL_TYPE

        def __init__(
            self, convolutions: Any = ((3, 32, 7, 2, 0),), dimensions: int = 128, **others: Any
        ) -> None:
            self.convolutions = [list(each) for each in convolutions]
            self.dimensions = dimensions
            self.hidden_size = self.convolutions[-1][1]
            super().__init__(**others)

    class FaceModel(PreTrainedModel):  # type: ignore[no-untyped-call]
        """A convolution, blocks of two with a way around them, and a matrix at the end."""

        config_class = FaceConfig
        main_input_name = "pixel_values"
        _supports_sdpa = True  # there is no attention that could do without

        def __init__(self, config: FaceConfig) -> None:
            super().__init__(config)
            self.convolutions = nn.ModuleList(
                nn.Conv2d(inside, outside, side, stride, padding)
                for inside, outside, side, stride, padding in config.convolutions
            )
            self.head = nn.Linear(config.hidden_size, config.dimensions, bias=False)
            self.post_init()  # type: ignore[no-untyped-call]

        def forward(self, pixel_values: Any, **_: Any) -> Any:
            layers: list[Any] = list(self.convolutions)
            first, *blocks = layers
            x = functional.max_pool2d(functional.relu(first(pixel_values)), 3, 2)
            for inner, outer in zip(blocks[::2], blocks[1::2], strict=True):
                y = outer(functional.relu(inner(x)))
                around = functional.avg_pool2d(x, 2, 2) if inner.stride[0] == 2 else x
                x = functional.relu(padded_sum(around, y))
            return BaseModelOutputWithPooling(
                last_hidden_state=x, pooler_output=self.head(x.mean((2, 3)))
            )

    return FaceConfig, FaceModel
