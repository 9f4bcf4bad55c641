"""Real data that needs no network: Fashion-MNIST (Xiao et al. 2017, 1708.07747) and the King James Bible.

The package carries 16,000 images of Fashion-MNIST and the whole text of the King James Bible. Where the
environment variable ``THALWEG_DATA`` names a folder with the four original Fashion-MNIST files, gzipped or
not, all 70,000 images are used instead, after their sha256 has been checked.
"""

import gzip
import hashlib
import io
import lzma
import os
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from thalweg.errors import UserError

Split = tuple[Tensor, Tensor]
Splits = tuple[Split, Split, Split]
Bytes = npt.NDArray[np.uint8]

EMBEDDED = Path(__file__).parent / "embedded"
FASHION_FILE = "fashion_mnist.npy.xz"
KJV_FILE = "kjv.txt.xz"

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"

SHA256 = {
    TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    "kjv.txt": "82fa5f3788c6a9a010fb128a0f0bf588984b5888a82058520620eded59b033ea",
}
"""sha256 of the original files, uncompressed."""

FASHION_MEAN, FASHION_SD = 0.2860, 0.3530
"""Mean and standard deviation of the pixels of the 60,000 original training images, black 0 and white 1."""

FASHION_CLASSES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
KJV_SYMBOLS = 73
"""How many different characters the King James text has."""

# Windows in a block of text, and blocks in a period: one for validation, two for testing, the rest to train.
_BLOCK, _PERIOD = 64, 128


def fashion_mnist() -> Splits:
    """Return Fashion-MNIST as ``(train, valid, test)``, each ``(images, labels)``.

    Images are float32 of shape (n, 1, 28, 28), shifted and scaled by `FASHION_MEAN` and `FASHION_SD`;
    labels are int64 of shape (n,), the index of the class in `FASHION_CLASSES`.

    There are 12,000, 2,000 and 2,000 images, every class equally often; training and validation images
    come from the original training set, test images from the original test set. With ``THALWEG_DATA`` set
    there are 55,000, 5,000 (the last of the original training set) and 10,000. The tensors are made once a
    process and shared: do not change them in place.

    Raises:
        UserError: a file in the folder that ``THALWEG_DATA`` names is missing or is not the original.

    >>> train, valid, test = fashion_mnist()
    >>> train[0].shape[1:], train[1][:3].tolist()
    (torch.Size([1, 28, 28]), [9, 0, 0])
    """
    return _fashion_mnist(os.environ.get("THALWEG_DATA", ""))


@lru_cache(maxsize=1)
def _fashion_mnist(folder: str) -> Splits:
    train, valid, test = full_fashion_mnist(Path(folder)) if folder else embedded_fashion_mnist()
    return _tensors(*train), _tensors(*valid), _tensors(*test)


def _tensors(images: Bytes, labels: Bytes) -> Split:
    pixels = torch.from_numpy(images.astype(np.float32)).div_(255).sub_(FASHION_MEAN).div_(FASHION_SD)
    return pixels.reshape(-1, 1, 28, 28), torch.from_numpy(labels.astype(np.int64))


def embedded_fashion_mnist() -> tuple[tuple[Bytes, Bytes], ...]:
    """Return the 16,000 images and labels that the package carries, as bytes: train, valid, test."""
    stream = io.BytesIO(lzma.decompress((EMBEDDED / FASHION_FILE).read_bytes()))
    images, labels = np.load(stream), np.load(stream)
    cuts = (slice(0, 12_000), slice(12_000, 14_000), slice(14_000, 16_000))
    return tuple((images[cut], labels[cut]) for cut in cuts)


def full_fashion_mnist(folder: Path) -> tuple[tuple[Bytes, Bytes], ...]:
    """Return all 70,000 images and labels from the original files in `folder`: train, valid, test.

    Raises:
        UserError: the folder or a file is missing, or a file's sha256 is not the original's.
    """
    if not folder.is_dir():
        raise UserError(
            f"THALWEG_DATA: there is no folder '{folder}'; create it with the four Fashion-MNIST files, "
            "or unset THALWEG_DATA to use the 16,000 images that come with thalweg"
        )
    images = _pixels(read_original(folder, TRAIN_IMAGES))
    labels = np.frombuffer(read_original(folder, TRAIN_LABELS), np.uint8, offset=8)
    test = _pixels(read_original(folder, TEST_IMAGES))
    test_labels = np.frombuffer(read_original(folder, TEST_LABELS), np.uint8, offset=8)
    return (images[:-5000], labels[:-5000]), (images[-5000:], labels[-5000:]), (test, test_labels)


def _pixels(content: bytes) -> Bytes:
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)


def read_original(folder: Path, name: str) -> bytes:
    """Return the uncompressed content of the original file `name` or `name`.gz in `folder`, verified.

    Raises:
        UserError: there is no such file, it cannot be read, or its sha256 is not the original's.
    """
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise UserError(
            f"THALWEG_DATA: '{folder}' lacks {name} (or {name}.gz); copy the original file there, "
            "or unset THALWEG_DATA to use the 16,000 images that come with thalweg"
        )
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"THALWEG_DATA: cannot read '{path}' ({error}); copy the original file again"
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise UserError(
            f"THALWEG_DATA: '{path}' is not the original file (its sha256 differs); copy it again, "
            "or unset THALWEG_DATA to use the 16,000 images that come with thalweg"
        )
    return content


def kjv(length: int = 64) -> Splits:
    """Return the King James Bible as ``(train, valid, test)``, each ``(characters, next_characters)``.

    Both are int64 of shape (n, length): windows of text that follow each other without overlap, and the same
    windows one character later. A number stands for a character: its place in the sorted characters of the
    text, 0 to 72. Of each 128 blocks of 64 windows, one is for validation and two are for testing.

    Raises:
        UserError: `length` is not between 1 and 8192.

    >>> train, valid, test = kjv(64)
    >>> train[0].shape, valid[0].shape, test[0].shape
    (torch.Size([65623, 64]), torch.Size([512, 64]), torch.Size([1024, 64]))
    """
    if not 1 <= length <= 8192:
        raise UserError(f"kjv: length is {length}; it must lie between 1 and 8192 characters")
    codes = torch.from_numpy(_kjv_codes().astype(np.int64))
    count = (len(codes) - 1) // length
    windows = codes[: count * length].reshape(count, length)
    following = codes[1 : count * length + 1].reshape(count, length)
    position = torch.arange(count) // _BLOCK % _PERIOD
    valid = position == 30
    test = (position == 60) | (position == 100)
    train = ~(valid | test)
    return (
        (windows[train], following[train]),
        (windows[valid], following[valid]),
        (windows[test], following[test]),
    )


@lru_cache(maxsize=1)
def kjv_text() -> str:
    """Return the whole text of the King James Bible, 4,298,239 characters."""
    return lzma.decompress((EMBEDDED / KJV_FILE).read_bytes()).decode("ascii")


def _kjv_codes() -> Bytes:
    characters = np.frombuffer(kjv_text().encode("ascii"), np.uint8)
    table = np.zeros(128, np.uint8)
    symbols = np.flatnonzero(np.bincount(characters, minlength=128))
    table[symbols] = np.arange(len(symbols))
    return table[characters]
