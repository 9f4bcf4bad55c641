"""Batches: what a seed decides, what it does not, and that no sample is lost or repeated."""

from collections import namedtuple
from itertools import chain, islice

import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, WeightedRandomSampler

from thalweg.errors import UserError
from thalweg.tasks import batches

ROWS = torch.arange(23)
CPU = torch.device("cpu")


class Numbers(Dataset):
    def __init__(self, count=23):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        return {"row": torch.tensor([i]), "name": f"sample {i}"}


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(5))


class EpochSampler:
    """As torch's DistributedSampler: the order follows from the epoch that it is told."""

    epoch = 0

    def __len__(self):
        return 23

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __iter__(self):
        generator = torch.Generator().manual_seed(self.epoch)
        return iter(torch.randperm(23, generator=generator).tolist())


def loader(**options):
    return DataLoader(TensorDataset(ROWS), batch_size=4, **options)


KINDS = {
    "tensors": lambda: (ROWS,),
    "dataset": Numbers,
    "loader": lambda: loader(shuffle=True),
    "loader, weighted": lambda: loader(sampler=WeightedRandomSampler([1.0] * 23, 23, replacement=False)),
    "loader, told its epoch": lambda: loader(sampler=EpochSampler()),
    "loader, dropping": lambda: loader(shuffle=True, drop_last=True),
}


def rows(batch):
    return (batch["row"] if isinstance(batch, dict) else batch[0]).flatten().tolist()


def flat(batches_of_rows):
    return list(chain.from_iterable(batches_of_rows))


def evaluated(data, limit=None):
    return [rows(batch) for batch in batches.evaluation(data, 4, CPU, limit)]


def drawn(data, seed, count=18, batch_size=4):
    return [rows(batch) for batch in islice(batches.train(data, batch_size, seed, CPU), count)]


@pytest.mark.parametrize("kind", KINDS)
class TestTrain:
    def test_same_seed_same_order_whatever_the_global_generator_does(self, kind):
        torch.manual_seed(1)
        first = drawn(KINDS[kind](), 5)
        torch.manual_seed(2)
        assert drawn(KINDS[kind](), 5) == first

    def test_an_iterator_half_way_does_not_disturb_the_next(self, kind):
        data = KINDS[kind]()
        assert drawn(data, 5, 3) == drawn(data, 5, 3)

    def test_other_seeds_give_other_orders(self, kind):
        assert len({str(drawn(KINDS[kind](), seed)) for seed in range(5)}) == 5

    def test_every_epoch_has_another_order_and_each_sample_at_most_once(self, kind):
        steps = batches.steps_per_epoch(KINDS[kind](), 4)
        drawn_batches = drawn(KINDS[kind](), 0, 3 * steps)
        epochs = [flat(drawn_batches[i : i + steps]) for i in range(0, 3 * steps, steps)]
        assert len({str(epoch) for epoch in epochs}) == 3
        for epoch in epochs:
            assert len(epoch) == len(set(epoch)) == (23 if steps == 6 else 20)
            assert set(epoch) <= set(range(23))


def test_global_generator_is_left_alone():
    for data in ((ROWS,), Numbers(), loader(shuffle=True)):
        torch.manual_seed(3)
        drawn(data, 0)
        after = torch.rand(1)
        torch.manual_seed(3)
        assert torch.equal(torch.rand(1), after)


def test_order_is_unrelated_to_what_the_seed_gives_a_model():
    torch.manual_seed(7)
    assert drawn((ROWS,), 7, 5) != [chunk.tolist() for chunk in torch.randperm(23).split(4)[:5]]


def test_fewer_samples_than_a_batch_make_one_whole_batch():
    assert batches.steps_per_epoch((ROWS,), 64) == 1
    for data in ((ROWS,), Numbers()):
        assert [sorted(rows) for rows in drawn(data, 0, 3, batch_size=64)] == [list(range(23))] * 3


def test_steps_per_epoch():
    assert batches.steps_per_epoch((ROWS,), 4) == 5
    assert batches.steps_per_epoch(Numbers(), 23) == 1
    assert batches.steps_per_epoch(loader(), 1000) == 6


def test_tensors_keep_their_rows_together():
    data = (ROWS, ROWS * 10, (ROWS * 100).reshape(23, 1))
    for a, b, c in islice(batches.train(data, 4, 0, CPU), 12):
        assert torch.equal(a * 10, b)
        assert torch.equal(a * 100, c[:, 0])


def test_dataset_with_getitems_is_asked_for_a_batch_at_once():
    class Fetching(Numbers):
        asked = 0

        def __getitems__(self, indices):
            self.asked += 1
            return [self[i] for i in indices]

    data = Fetching()
    assert drawn(data, 0, 5) == drawn(Numbers(), 0, 5)
    assert data.asked == 5


def test_loader_without_a_batch_says_so():
    data = DataLoader(TensorDataset(ROWS), batch_size=64, drop_last=True)
    with pytest.raises(UserError, match="train: the DataLoader yields no batch"):
        drawn(data, 0)


@pytest.mark.parametrize("data", [(ROWS,), Numbers(), loader()], ids=["tensors", "dataset", "loader"])
def test_evaluation_sees_every_sample_once_in_order(data):
    seen = evaluated(data)
    assert flat(seen) == list(range(23))
    assert [len(batch) for batch in seen] == [4, 4, 4, 4, 4, 3]


def test_evaluation_stops_at_the_limit():
    assert flat(evaluated((ROWS,), 10)) == list(range(10))
    assert flat(evaluated(Numbers(), 10)) == list(range(10))
    assert flat(evaluated(loader(), 10)) == list(range(12))
    assert flat(evaluated((ROWS,), 99)) == list(range(23))


def test_training_loader_is_read_in_order_and_keeps_its_collation():
    data = loader(shuffle=True, collate_fn=lambda samples: [torch.stack([s[0] for s in samples]) + 1000])
    seen = [rows(batch) for batch in batches.evaluation(batches.in_order(data, 10), 10, CPU)]
    assert flat(seen) == list(range(1000, 1023))


Pair = namedtuple("Pair", "left right")


def test_nested_batches_are_moved_and_counted():
    batch = {"x": Pair(torch.zeros(3, 2), [torch.ones(3), "text"]), "scale": 2.0}
    moved = batches.to_device(batch, torch.device("meta"))
    assert moved["x"].left.device.type == moved["x"].right[0].device.type == "meta"
    assert isinstance(moved["x"], Pair)
    assert (moved["x"].right[1], moved["scale"]) == ("text", 2.0)
    assert batches.samples(batch) == 3
    assert batches.samples([torch.tensor(2.0), torch.zeros(6)]) == 6


def test_batch_without_rows():
    with pytest.raises(UserError, match="no tensor whose rows are the samples"):
        batches.samples({"x": "text", "y": torch.tensor(1.0)})


def test_tensors_are_copied_to_another_device_once():
    cache = {}
    data = (torch.zeros(8, 2), torch.zeros(8))
    for _ in range(2):
        next(batches.evaluation(data, 4, torch.device("meta"), cache=cache))
    ((kept),) = cache.values()
    assert [tensor.device.type for tensor in kept] == ["meta", "meta"]


def test_large_tensors_move_batch_by_batch(monkeypatch):
    monkeypatch.setattr(batches, "RESIDENT", 8)
    cache = {}
    batch = next(batches.train((torch.zeros(8, 2),), 4, 0, torch.device("meta"), cache))
    assert batch[0].device.type == "meta"
    assert not cache


def test_fingerprint_follows_the_content():
    base = batches.fingerprint((ROWS, ROWS))
    changed = ROWS.clone()
    changed[-1] = 0
    assert batches.fingerprint((ROWS.clone(), ROWS)) == base
    assert batches.fingerprint((ROWS, changed)) != base
    assert batches.fingerprint((ROWS.int(), ROWS)) != base
    assert batches.fingerprint((ROWS.reshape(23, 1), ROWS)) != base
    assert batches.fingerprint(Numbers()) != batches.fingerprint(Numbers(22))
    assert batches.fingerprint((torch.zeros(3, dtype=torch.bfloat16),))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((torch.zeros(3), torch.zeros(4), torch.zeros(4)), "valid: the tensors have 3, 4 and 4 rows"),
        ((), "valid holds no samples"),
        ((torch.zeros(0, 2),), "valid holds no samples"),
        ((torch.tensor(1.0),), "valid: element 0 of the tuple is a single number"),
        ((torch.zeros(2), [1, 2]), "valid: element 1 of the tuple is a list; give tensors"),
        (Numbers(0), "valid: a Numbers holds no samples"),
        (Stream(), "valid: a Stream without a length"),
        (DataLoader(Stream()), "valid: a DataLoader without a length"),
        (DataLoader(Numbers(0)), "valid: a DataLoader holds no samples"),
        (torch.zeros(3), "valid is a Tensor; give a tuple of tensors"),
        (ROWS.numpy(), "valid is a ndarray; give a tuple of tensors"),
        (None, "valid is None; give"),
        ({"x": 1}, "valid is a dict; give"),
    ],
)
def test_data_that_cannot_be_used(data, message):
    with pytest.raises(UserError, match=message):
        batches.normalise(data, "valid")


def test_tensor_datasets_and_lists_take_the_fast_path():
    for data in (TensorDataset(ROWS), [ROWS]):
        (tensor,) = batches.normalise(data, "train")
        assert tensor is ROWS
