"""The nets of `against_torch` in PyTorch, written as its users write them."""

import torch
from torch import nn
from torch.nn import functional as F


def mlp() -> nn.Module:
    """Returns LeNet-300-100."""
    return nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


def lenet5() -> nn.Module:
    """Returns LeNet-5 as in Caffe."""
    convs = nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*convs, nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut; `mlperf`: with biases, and no norm on the projection, as MLPerf Tiny has it."""

    def __init__(self, before: int, after: int, stride: int, mlperf: bool) -> None:
        super().__init__()
        first = nn.Conv2d(before, after, 3, stride, 1, bias=mlperf)
        second = nn.Conv2d(after, after, 3, 1, 1, bias=mlperf)
        self.main = nn.Sequential(first, nn.BatchNorm2d(after), nn.ReLU(), second, nn.BatchNorm2d(after))
        self.shortcut = nn.Identity()
        if before != after:
            projection = nn.Conv2d(before, after, 1, stride, bias=mlperf)
            self.shortcut = projection if mlperf else nn.Sequential(projection, nn.BatchNorm2d(after))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the block of x [B, C, H, W]."""
        return F.relu(self.main(x) + self.shortcut(x))


def resnet(per_stream: int, mlperf: bool = False) -> nn.Module:
    """Returns a ResNet of three streams for 32 × 32 images, `per_stream` blocks in each."""
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=mlperf), nn.BatchNorm2d(16), nn.ReLU()]
    before = 16
    for width in (16, 32, 64):
        for i in range(per_stream):
            stride = 2 if i == 0 and width > 16 else 1
            layers.append(ResidualBlock(before, width, stride, mlperf))
            before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class TransformerBlock(nn.Module):
    """Causal attention and a feed-forward layer, each after a norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the block of x [B, T, width]."""
        parts = self.qkv(self.norm1(x)).view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*parts, is_causal=True).transpose(1, 2).reshape(x.shape)
        x = x + self.out(mixed)
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """A language model of tokens with learned positions."""

    def __init__(
        self, vocabulary: int = 65, context: int = 64, layers: int = 4, width: int = 128, heads: int = 4
    ) -> None:
        super().__init__()
        self.token, self.position = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads) for _ in range(layers)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, vocabulary))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the logits [B, T, vocabulary] of tokens [B, T]."""
        return self.head(self.blocks(self.token(x) + self.position(torch.arange(x.shape[1]))))


TWINS = {
    "LeNet-300-100": mlp,
    "LeNet-5-Caffe": lenet5,
    "resnet8": lambda: resnet(1, mlperf=True),
    "ResNet-20": lambda: resnet(3),
    "GPT 4 × 128": GPT,
}
