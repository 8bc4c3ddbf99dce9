"""Classifies the digits of the test set through the functions of libdigits.h, with ctypes alone.

    tfc compile ../digits.onnx -o libdigits.so
    python3 classify.py libdigits.so ../test-images.npy ../test-labels.npy
"""
import ctypes
import pathlib
import sys


class Dims(ctypes.Structure):
    """digits_dims"""

    _fields_ = [("batch", ctypes.c_int64)]


def load(path):
    """The model, and the library with its functions."""
    library = ctypes.CDLL(str(pathlib.Path(path).resolve()))
    library.digits_create.restype = ctypes.c_void_p
    library.digits_run.argtypes = [ctypes.c_void_p, Dims, ctypes.c_char_p, ctypes.POINTER(ctypes.c_float)]
    library.digits_last_error.argtypes = [ctypes.c_void_p]
    library.digits_last_error.restype = ctypes.c_char_p
    library.digits_destroy.argtypes = [ctypes.c_void_p]
    model = library.digits_create(None)
    if not model:
        raise RuntimeError(library.digits_last_error(None).decode())
    return model, library


def elements(path):
    """The bytes behind the header of a .npy file."""
    data = pathlib.Path(path).read_bytes()
    return data[10 + int.from_bytes(data[8:10], "little"):]


def main(library_path, images_path, labels_path):
    images, labels = elements(images_path), elements(labels_path)
    model, library = load(library_path)
    probabilities = (ctypes.c_float * (10 * len(labels)))()
    if library.digits_run(model, Dims(len(labels)), images, probabilities) != 0:
        raise RuntimeError(library.digits_last_error(model).decode())
    library.digits_destroy(model)

    rows = [probabilities[i : i + 10] for i in range(0, len(probabilities), 10)]
    right = sum(row.index(max(row)) == label for row, label in zip(rows, labels))
    print(f"Python: {right} of {len(labels)} digits are right, {100 * right / len(labels):.1f}%")


if __name__ == "__main__":
    main(*sys.argv[1:])
