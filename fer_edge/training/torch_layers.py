"""On a PyTorch backend, layers that train on PyTorch's own kernels.

Keras writes normalisation out in a dozen operations and lets its depthwise convolutions change the
layout of every picture.  Here normalisation and ReLU6 are one step that writes its maps once, and what
Keras pads before a convolution by two is padding of that convolution.

The order of the weights is that of the layers they stand for; the names in a saved file are not, so
files are written by the network that they were made from.
"""

from __future__ import annotations

from typing import Any

import keras

from fer_edge.training.network import EMOTION, VALENCE_AROUSAL

PRECISE = {"pool", "dropout", EMOTION, VALENCE_AROUSAL}
"""Layers that compute in float32 whatever the others do: they cost nothing."""


def native(model: Any, *, bfloat16: bool = False) -> Any:
    """The same network, or a copy with the same weights on PyTorch's kernels.

    With ``bfloat16`` the copy computes all but its heads in it; weights stay float32.
    """
    if keras.backend.backend() != "torch":
        return model

    def swapped(layer: Any) -> Any:
        config = layer.get_config()
        if bfloat16 and layer.name not in PRECISE:
            config["dtype"] = "mixed_bfloat16"
        return _kind(layer).from_config(config)

    copy = keras.models.clone_model(model, clone_function=swapped)
    copy.set_weights(model.get_weights())
    return copy


def _kind(layer: Any) -> Any:
    match layer:
        case keras.layers.BatchNormalization():
            return Normalisation if layer.name == "top_bn" else NormalisedReLU6
        case keras.layers.DepthwiseConv2D():
            return Depthwise
        case keras.layers.Conv2D():
            return Convolution
        case keras.layers.ReLU() | keras.layers.ZeroPadding2D():
            return Nothing
        case _:
            return type(layer)


class Nothing(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """Stands where another layer does the work."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Nothing:
        """Of another layer's configuration, take the name."""
        return cls(name=config["name"], dtype=config["dtype"])

    def call(self, inputs: Any) -> Any:
        """Pass on."""
        return inputs


class Normalisation(keras.layers.BatchNormalization):  # type: ignore[misc]  # keras has no types
    """Batch normalisation over channels-last maps; PyTorch's moving variance is the unbiased one."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ARG002  Keras calls it so
        """Normalise; in training by the batch, whose statistics move the averages."""
        return self.normalised(inputs, training=bool(training)).movedim(1, -1)

    def normalised(self, inputs: Any, *, training: bool) -> Any:
        """The same, channels first."""
        import torch

        return torch.nn.functional.batch_norm(
            inputs.movedim(-1, 1),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=training and self.trainable,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )


class NormalisedReLU6(Normalisation):
    """Batch normalisation and the ReLU6 after it, which writes over what normalisation wrote."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ARG002  Keras calls it so
        """Normalise as above, and cut to 0 … 6."""
        from fer_edge.training import torch_kernels

        if not (training and self.trainable):
            return self.normalised(inputs, training=False).clamp_(0, 6).movedim(1, -1)
        moving = torch_kernels.Moving(
            self.moving_mean.value,
            self.moving_variance.value,
            1 - self.momentum,
            self.epsilon,
        )
        maps = torch_kernels.NormalisedReLU6.apply(
            inputs.movedim(-1, 1), self.gamma.value, self.beta.value, moving
        )
        return maps.movedim(1, -1)


class Convolution(keras.layers.Conv2D):  # type: ignore[misc]  # keras has no types
    """MobileNet's other convolutions: 1 x 1, and the first, 3 x 3 by two, padded to its full half."""

    def call(self, inputs: Any) -> Any:
        """Convolve channels-last maps; at every pixel it is a product of matrices."""
        import torch

        kernel = self.kernel.value
        if kernel.shape[:2] == (1, 1):
            return inputs @ kernel[0, 0]
        # Keras pads an even side below and to the right, an odd one all around.
        before = [side % 2 for side in inputs.shape[1:3]]
        maps = torch.nn.functional.pad(inputs.movedim(-1, 1), (before[1], 1, before[0], 1))
        outputs = torch.nn.functional.conv2d(maps, kernel.permute(3, 2, 0, 1), stride=2)
        return outputs.movedim(1, -1).contiguous()


class Depthwise(keras.layers.DepthwiseConv2D):  # type: ignore[misc]  # keras has no types
    """MobileNet's depthwise convolution: 3 x 3, one kernel a channel.

    By one it is padded by one; by two it is padded to the right and below, which Keras has in a layer
    of its own.
    """

    def call(self, inputs: Any) -> Any:
        """Convolve channels-last maps without leaving that layout."""
        import torch

        from fer_edge.training import torch_kernels

        # [3, 3, channels, 1] as PyTorch has it: [channels, 1, 3, 3].
        kernel = self.kernel.value.permute(2, 3, 0, 1)
        maps = inputs.movedim(-1, 1)
        if self.strides == (2, 2):
            outputs = torch_kernels.DepthwiseByTwo.apply(maps, kernel)
        else:
            kernel = kernel.contiguous(memory_format=torch.channels_last)
            outputs = torch.nn.functional.conv2d(maps, kernel, padding=1, groups=len(kernel))
        return outputs.movedim(1, -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Half the side, rounded down, if by two."""
        number, height, width, channels = input_shape
        sides = [side and side // self.strides[0] for side in (height, width)]
        return (number, *sides, channels)
