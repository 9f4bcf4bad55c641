"""Softmax regression on Fashion-MNIST: a linear model, a convex loss."""

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from thalweg.tasks import Task
from thalweg.tasks.data import fashion_mnist


def model() -> nn.Module:
    """A score for each class, linear in the pixels: 7,850 parameters."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


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
    name="fashion-linear",
    description="softmax regression on Fashion-MNIST",
    model=model,
    train=train,
    valid=valid,
    test=test,
    loss=loss,
    metric=accuracy,
    batch_size=128,
    epochs=10,
)
