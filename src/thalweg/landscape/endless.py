"""The batches of a surface as training sees them: one after the other, without end."""

import random
from collections.abc import Iterator

from thalweg.errors import UserError
from thalweg.landscape.data import Batches, generators
from thalweg.landscape.state import seed_all
from thalweg.landscape.surface import Surface
from thalweg.tasks.batches import Batch, samples, to_device

__all__ = ["endless"]


def endless(surface: Surface, seed: int) -> Iterator[Batch]:
    """Yield a surface's batches for ever; inside `Surface.hold`, for all generators are seeded.

    A list is shuffled in each pass; a loader shuffles as it does itself, from the seed; masks of dropout and
    augmentations follow from the seed too, and differ from step to step.

    Raises:
        UserError: a pass over the data gave no batch.
    """
    seed_all(seed)
    for generator in generators(surface.data):
        generator.manual_seed(seed)
    order = random.Random(seed)
    while True:
        data = surface.data
        if isinstance(data, list | Batches):
            data = order.sample(list(data), len(data))
        empty = True
        for batch in data:
            empty = False
            samples(batch)  # it has some
            yield to_device(batch, surface.device)
        if empty:
            raise UserError(
                "Surface: the data gave no batch; an iterator is exhausted after one pass, so give a list of "
                "batches or a DataLoader that holds samples"
            )
