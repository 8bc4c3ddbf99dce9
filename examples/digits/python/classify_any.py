"""Classifies the digits of the test set through the library's table, with NumPy where it is installed.

    tfc compile ../digits.onnx -o libdigits.so
    python3 classify_any.py libdigits.so ../test-images.npy ../test-labels.npy
"""
import sys

from tfc_model import Model, load

try:
    import numpy
except ImportError:
    numpy = None


def count_right(probabilities, labels):
    if numpy:
        return int((numpy.asarray(probabilities).argmax(axis=1) == labels).sum())
    rows = probabilities.tolist()
    return sum(row.index(max(row)) == label for row, label in zip(rows, labels.tolist()))


def main(library_path, images_path, labels_path):
    read = numpy.load if numpy else load
    images, labels = read(images_path), read(labels_path)
    model = Model(library_path)
    for kind, tensors in [("input", model.inputs), ("output", model.outputs)]:
        for tensor in tensors:
            print(f"{kind} {tensor.name}: {' x '.join(map(str, tensor.extents))} {tensor.type}")
    probabilities, = model.run(images)
    right = count_right(probabilities, labels)
    print(f"Python: {right} of {len(labels)} digits are right, {100 * right / len(labels):.1f}%")


if __name__ == "__main__":
    main(*sys.argv[1:])
