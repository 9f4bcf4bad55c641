"""Models that hold every kind of parameter."""

import torch
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """A norm of a user's own, with a weight of three dimensions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels, 2, 2))


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))
        self.norm = nn.LayerNorm((5, width))  # its weight has two dimensions
        self.attn = nn.MultiheadAttention(width, 2, add_bias_kv=True, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4), nn.PReLU(), nn.Linear(4, width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        x = x + self.gamma * self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(x)


class Transformer(nn.Module):
    """A small vision transformer: 4 patches and a class token."""

    def __init__(self, width: int = 8, blocks: int = 3) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, 5, width))
        self.patch = nn.Conv2d(1, width, 4, stride=4)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), patches], dim=1) + self.places
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


class Tied(nn.Module):
    """A language model whose embedding is its output layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 4)
        self.norm = nn.LayerNorm(4)
        self.out = nn.Linear(4, 7, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.norm(self.embed(x)))
