"""A task for thalweg: say what to train, and thalweg finds what to train it with.

    thalweg race THIS_FILE --budget 3m

It runs as it is, on images of clothes that come with thalweg. Replace the data, the model, the loss and the
metric by your own.
"""

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from thalweg.tasks import Task
from thalweg.tasks.data import fashion_mnist


# A function that makes a new model. Every run calls it after seeding torch, so give no model made beforehand.
def model() -> nn.Module:
    """A network of one hidden layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))


# What to minimize: one number, the mean over the batch. A batch holds what the data below holds.
def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of the labels."""
    images, labels = batch
    return cross_entropy(model(images), labels)


# What counts in the end: one number, the mean over the batch, computed in evaluation mode without gradients.
def accuracy(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Share of images whose highest score is their label's."""
    images, labels = batch
    correct: Tensor = model(images).argmax(dim=1) == labels
    return correct.float().mean()


# Three sets of data: to train on; to choose recipes by; and to confirm the choice with, untouched until then.
# Each one is a tuple of tensors with as many rows (the fastest), a torch Dataset, or a DataLoader.
# Your own might be:
#     images, labels = torch.load("images.pt"), torch.load("labels.pt")
#     rows = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
#     train, valid, test = ((images[part], labels[part]) for part in rows.split([8000, 1000, 1000]))
# with a fixed seed, because the file is run again in every worker process.
train, valid, test = fashion_mnist()

task = Task(
    name="my-task",
    model=model,
    train=train,
    valid=valid,
    test=test,
    loss=loss,
    metric=accuracy,
    metric_name="accuracy",
    higher_is_better=True,  # False for an error or a perplexity
    batch_size=128,
    epochs=5,  # how long a full run is, where the budget allows it
)
