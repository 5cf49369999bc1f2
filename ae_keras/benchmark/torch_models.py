"""Our models in PyTorch, for the comparison of speed. Import it only where PyTorch is there."""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from ae_keras.models.variational import V1, V2


class _Standardize(nn.Module):
    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((1, 3, 1, 1), 0.5))
        self.register_buffer("deviation", torch.full((1, 3, 1, 1), 0.25))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (images - self.mean) / self.deviation


class _Distortion(nn.Module):
    """A model whose loss is the mean squared error."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.mse_loss(self.model(images), images)


class _VariationalLoss(nn.Module):
    """A variational autoencoder with noise, sampling and divergence, as `models.variational`."""

    def __init__(self, convolutions: Sequence[tuple[int, int, int, int, int]]) -> None:
        super().__init__()
        channels = [3, *(filters for _, filters, *_ in convolutions)]
        sizes = [32]
        for _, _, kernel, stride, padding in convolutions:
            sizes.append((sizes[-1] + 2 * padding - kernel) // stride + 1)
        down: list[nn.Module] = [_Standardize()]
        up: list[nn.Module] = []
        for number, (groups, filters, kernel, stride, padding) in enumerate(convolutions):
            inputs, shared = channels[number], (kernel, stride, padding)
            down += [nn.Conv2d(inputs, filters, *shared, groups=groups), nn.LeakyReLU(0.2)]
            missing = sizes[number] - (sizes[number + 1] - 1) * stride + 2 * padding - kernel
            layer = nn.ConvTranspose2d(filters, inputs, *shared, missing, groups)
            up = [layer, nn.LeakyReLU(0.2), *up] if number else [layer, nn.Sigmoid()]
        self.features = nn.Sequential(*down[:-2])
        self.mean = down[-2]
        groups, filters, kernel, stride, padding = convolutions[-1]
        self.log_variance = nn.Conv2d(channels[-2], filters, kernel, stride, padding, groups=groups)
        self.decoder = nn.Sequential(*up)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.features(images)
        features = features + torch.rand_like(features) - 0.5
        mean = self.mean(features)
        log_variance = self.log_variance(features).clamp(-10, 10)
        latents = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        terms = mean**2 + torch.exp(log_variance) - 1 - log_variance
        divergence = terms.sum(dim=(1, 2, 3)).mean() / 2
        distortion = nn.functional.mse_loss(self.decoder(latents), images)
        return distortion + 1e-3 / 1024 * divergence


def _cae() -> nn.Module:
    return nn.Sequential(
        _Standardize(),
        *(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(12, 16, 3, padding=1), nn.ReLU()),
        *(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(16, 12, 3, padding=1), nn.ReLU()),
        *(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(12, 3, 3, padding=1), nn.Sigmoid()),
    )


# Modules from images to the loss of a training step.
LOSSES: dict[str, Callable[[], nn.Module]] = {
    "cae": lambda: _Distortion(_cae()),
    "vae_v1": lambda: _VariationalLoss(V1),
    "vae_v2": lambda: _VariationalLoss(V2),
}
