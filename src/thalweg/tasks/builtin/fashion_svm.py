"""A linear multiclass support vector machine on Fashion-MNIST."""

from torch import Tensor, nn
from torch.nn.functional import one_hot

from thalweg.tasks import Task
from thalweg.tasks.data import fashion_mnist


def model() -> nn.Module:
    """A score for each class, linear in the pixels: 7,850 parameters."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Multiclass hinge of Weston and Watkins (1999): the sum over j != y of max(0, s_j - s_y + 1).

    s_j is the score of class j and y the class of the image; mean over the batch. What the machine adds to
    it, the square of the weights, is the optimizer's weight decay.
    """
    images, labels = batch
    scores: Tensor = model(images)
    own = scores.gather(1, labels[:, None])
    margins = (scores - own + 1).clamp(min=0)
    return (margins * (1 - one_hot(labels, 10))).sum(dim=1).mean()


def accuracy(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Share of images whose highest score is their class's."""
    images, labels = batch
    correct: Tensor = model(images).argmax(dim=1) == labels
    return correct.float().mean()


train, valid, test = fashion_mnist()

task = Task(
    name="fashion-svm",
    description="linear multiclass SVM (hinge loss) on Fashion-MNIST",
    model=model,
    train=train,
    valid=valid,
    test=test,
    loss=loss,
    metric=accuracy,
    batch_size=128,
    epochs=10,
)
