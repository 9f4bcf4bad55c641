"""A small convolutional network with batch normalization on Fashion-MNIST."""

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from thalweg.tasks import Task
from thalweg.tasks.data import fashion_mnist


def model() -> nn.Module:
    """Three 3x3 convolutions, each with batch normalization, then a linear layer: 33,658 parameters."""
    return nn.Sequential(
        *convolution(1, 16, stride=2),
        *convolution(16, 32, stride=2),
        *convolution(32, 64, stride=2),
        nn.Flatten(),
        nn.Linear(64 * 4 * 4, 10),
    )


def convolution(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """A convolution without a bias, which the normalization would take away again."""
    return [
        nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy."""
    images, labels = batch
    return cross_entropy(model(images), labels)


def accuracy(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Share of images whose highest score is their class's."""
    images, labels = batch
    correct: Tensor = model(images).argmax(dim=1) == labels
    return correct.float().mean()


train, valid, test = fashion_mnist()

task = Task(
    name="fashion-cnn",
    description="three convolutions with batch norm on Fashion-MNIST",
    model=model,
    train=train,
    valid=valid,
    test=test,
    loss=loss,
    metric=accuracy,
    batch_size=128,
    epochs=5,
)
