"""Make the data files that the package carries, from the original files.

    python tools/make_embedded_data.py FASHION_FOLDER KJV_TEXT

FASHION_FOLDER holds the four Fashion-MNIST files (Debian: dataset-fashion-mnist), KJV_TEXT is the output of
``bible -p DIR 'Gen1:1-Rev22:21'`` (Debian: bible-kjv, bible-kjv-text). Both are verified by sha256. The files
come out the same wherever liblzma is the same version; their sha256 is printed for tests/tasks/test_data.py.
"""

import argparse
import hashlib
import io
import lzma
from pathlib import Path

import numpy as np

from thalweg.tasks import data

PRESET = 9 | lzma.PRESET_EXTREME


def choose(images: data.Bytes, labels: data.Bytes, per_class: int, seen: set[bytes]) -> list[int]:
    """Return where the first `per_class` images of each class are that are not in `seen`; add them to it.

    Fashion-MNIST repeats some images exactly: none may stand in two of our splits.
    """
    left = dict.fromkeys(range(10), per_class)
    chosen = []
    for i, label in enumerate(labels.tolist()):
        image = images[i].tobytes()
        if left[label] and image not in seen:
            left[label] -= 1
            seen.add(image)
            chosen.append(i)
    return chosen


def fashion(folder: Path) -> bytes:
    """Return the 16,000 images and labels, as two .npy streams, one after the other."""
    (train, train_y), (valid, valid_y), (test, test_y) = data.full_fashion_mnist(folder)
    images, labels = np.concatenate([train, valid]), np.concatenate([train_y, valid_y])
    seen: set[bytes] = set()
    parts = [
        (a[chosen], b[chosen])
        for a, b, per_class in ((images, labels, 1200), (images, labels, 200), (test, test_y, 200))
        for chosen in [choose(a, b, per_class, seen)]
    ]
    stream = io.BytesIO()
    for arrays in zip(*parts, strict=True):
        np.save(stream, np.concatenate(arrays))
    return stream.getvalue()


def main() -> None:
    """Write both files and print their size and sha256."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fashion", type=Path)
    parser.add_argument("kjv", type=Path)
    options = parser.parse_args()
    text = options.kjv.read_bytes()
    if hashlib.sha256(text).hexdigest() != data.SHA256["kjv.txt"]:
        parser.error(f"{options.kjv} is not the King James text of Debian's bible-kjv-text 4.38")
    for name, content in ((data.FASHION_FILE, fashion(options.fashion)), (data.KJV_FILE, text)):
        packed = lzma.compress(content, preset=PRESET)
        (data.EMBEDDED / name).write_bytes(packed)
        print(f"{name}  {len(packed):,} bytes  sha256 {hashlib.sha256(packed).hexdigest()}")


if __name__ == "__main__":
    main()
