"""The embedded data is what it says, and the full data is used only when it is the original."""

import gzip
import hashlib

import numpy as np
import pytest
import torch

from thalweg.errors import UserError
from thalweg.tasks import data

EMBEDDED_SHA256 = {
    data.FASHION_FILE: "d7065159420769d1bbc80143acf908c65feb1cf2bbaf7f2d502ed31b59b1288e",
    data.KJV_FILE: "1a1bffd750088b83d94c906b66dd035dbbf619fa790fba354cbe0b4dcfc6843f",
}


@pytest.mark.parametrize("name", EMBEDDED_SHA256)
def test_embedded_file_is_unchanged(name):
    content = (data.EMBEDDED / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == EMBEDDED_SHA256[name]


def test_embedded_files_leave_room_for_the_code_in_eight_megabytes():
    files = [path for path in data.EMBEDDED.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 7_500_000
    licences = (data.EMBEDDED / "LICENSES.md").read_text()
    assert "Copyright © 2017 Zalando SE, https://tech.zalando.com" in licences
    assert all(name in licences for name in EMBEDDED_SHA256)


def test_fashion_is_balanced():
    counts = [labels.bincount().tolist() for _, labels in data.fashion_mnist()]
    assert counts == [[1200] * 10, [200] * 10, [200] * 10]


def test_fashion_has_no_image_in_two_splits_nor_twice():
    seen = [hashlib.sha256(image).digest() for images, _ in data.embedded_fashion_mnist() for image in images]
    assert len(seen) == len(set(seen)) == 16_000


def test_fashion_tensors_are_the_pixels_normalised():
    (images, labels), _, _ = data.fashion_mnist()
    (pixels, classes), _, _ = data.embedded_fashion_mnist()
    assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)
    assert images.shape == (12_000, 1, 28, 28)
    expected = (pixels[7].astype(np.float64) / 255 - 0.2860) / 0.3530
    np.testing.assert_allclose(images[7, 0].numpy(), expected, atol=1e-6)
    assert labels[:50].tolist() == classes[:50].tolist()
    assert abs(float(images.mean())) < 0.01
    assert abs(float(images.std()) - 1) < 0.01


def test_kjv_text_is_the_original():
    text = data.kjv_text()
    assert hashlib.sha256(text.encode()).hexdigest() == data.SHA256["kjv.txt"]
    assert len(text) == 4_298_239
    assert len(set(text)) == data.KJV_SYMBOLS


def test_kjv_windows_spell_the_text_and_what_follows():
    symbols = sorted(set(data.kjv_text()))
    train, valid, test = data.kjv(100)
    for characters, following in (train, valid, test):
        assert torch.equal(characters[:, 1:], following[:, :-1])
        window = "".join(symbols[code] for code in characters[11])
        last = symbols[following[11, -1]]
        assert window + last in data.kjv_text()


def test_kjv_windows_cover_the_text_once_and_no_window_is_in_two_splits():
    length = 64
    train, valid, test = data.kjv(length)
    count = sum(len(characters) for characters, _ in (train, valid, test))
    assert count == (4_298_239 - 1) // length
    windows = torch.cat([characters for characters, _ in (train, valid, test)])
    codes = np.sort(windows.numpy().reshape(-1))
    text = data.kjv_text()[: count * length]
    assert np.bincount(codes).tolist() == [text.count(symbol) for symbol in sorted(set(data.kjv_text()))]
    held_out = {row.tobytes() for row in torch.cat([valid[0], test[0]]).numpy()}
    assert not held_out & {row.tobytes() for row in train[0].numpy()}


@pytest.mark.parametrize("length", [0, -3, 10_000])
def test_kjv_length_out_of_range(length):
    with pytest.raises(UserError, match=f"length is {length}"):
        data.kjv(length)


@pytest.fixture
def originals(tmp_path, monkeypatch):
    """A folder with four files in the original format, of few images, whose sha256 pass for the real."""
    rng = np.random.default_rng(0)
    for images, labels, count in (
        (data.TRAIN_IMAGES, data.TRAIN_LABELS, 5_020),
        (data.TEST_IMAGES, data.TEST_LABELS, 30),
    ):
        pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        classes = rng.integers(0, 10, count, dtype=np.uint8)
        for name, array in ((images, pixels), (labels, classes)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            content = header + array.tobytes()
            monkeypatch.setitem(data.SHA256, name, hashlib.sha256(content).hexdigest())
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content, 1))
    return tmp_path


def test_full_data_is_used_where_it_is_named(originals, monkeypatch):
    name = data.TEST_LABELS  # one file not gzipped
    content = gzip.decompress((originals / f"{name}.gz").read_bytes())
    (originals / name).write_bytes(content)
    (originals / f"{name}.gz").unlink()
    monkeypatch.setenv("THALWEG_DATA", str(originals))
    train, valid, test = data.fashion_mnist()
    assert [len(labels) for _, labels in (train, valid, test)] == [20, 5_000, 30]
    assert test[1].tolist() == list(content[8:])
    pixels = gzip.decompress((originals / f"{data.TRAIN_IMAGES}.gz").read_bytes())[16:]
    restored = (train[0] * data.FASHION_SD + data.FASHION_MEAN) * 255
    assert restored.round().to(torch.uint8).numpy().tobytes() == pixels[: 20 * 784]
    restored = (valid[0] * data.FASHION_SD + data.FASHION_MEAN) * 255
    assert restored.round().to(torch.uint8).numpy().tobytes() == pixels[20 * 784 :]


def test_full_data_folder_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(tmp_path / "absent"))
    with pytest.raises(UserError, match=r"no folder '.*absent'; .*unset THALWEG_DATA") as caught:
        data.fashion_mnist()
    assert "\n" not in str(caught.value)


def test_full_data_lacks_a_file(originals, monkeypatch):
    (originals / f"{data.TRAIN_LABELS}.gz").unlink()
    monkeypatch.setenv("THALWEG_DATA", str(originals))
    with pytest.raises(UserError, match=r"lacks train-labels-idx1-ubyte .*copy the original file"):
        data.fashion_mnist()


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-9], lambda c: b"not gzip", lambda c: gzip.compress(b"other")]
)
def test_full_data_is_corrupt(originals, monkeypatch, damage):
    path = originals / f"{data.TEST_IMAGES}.gz"
    path.write_bytes(damage(path.read_bytes()))
    monkeypatch.setenv("THALWEG_DATA", str(originals))
    with pytest.raises(UserError, match=r"THALWEG_DATA: .*t10k-images-idx3-ubyte.gz.*copy"):
        data.fashion_mnist()
