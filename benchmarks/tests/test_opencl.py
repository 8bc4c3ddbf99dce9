"""The report on an OpenCL device."""

import pathlib
import tempfile
import unittest

import opencl

DEVICE = {"name": "Device", "version": "OpenCL 3.0", "driver": "1.2", "type": "gpu"}


def result(fused, unfused):
    return {"fused_ms": fused, "unfused_ms": unfused, "ratio": unfused / fused, "largest_difference": 0,
            "fused_kernels": 2, "unfused_kernels": 7, "create_ms": 1, "kernel_us": 500, "kernel_bytes": 1_000_000}


class Table(unittest.TestCase):
    def test_rows_have_times_ratios_and_rates(self):
        text = opencl.table(DEVICE, {"minilm": result(1.0, 4.0)})
        self.assertIn("| minilm | 1 | 4 | 4.00 | 2 / 7 | 0.5 | 2 |", text)

    def test_the_mean_is_of_models_only(self):
        text = opencl.table(DEVICE, {"matmul_256": result(1.0, 9.0), "a": result(1.0, 1.0), "b": result(1.0, 4.0)})
        self.assertIn("over the models: 2.00.", text)

    def test_what_fails_says_why(self):
        self.assertIn("| a | no memory |", opencl.table(DEVICE, {"a": {"error": "no memory"}}))


class Kernels(unittest.TestCase):
    def test_a_kernel_counts_as_often_as_it_is_launched(self):
        rows = [{"measured_us": 2.5, "launches": 6}, {"measured_us": 4, "launches": 1}, {"measured_us": None, "launches": 0}]
        self.assertEqual(opencl.microseconds(rows), 19)


class Graphs(unittest.TestCase):
    def test_onnx_comes_before_stablehlo_and_patterns_choose(self):
        with tempfile.TemporaryDirectory() as zoo:
            for name, file in [("one", "m.onnx"), ("one.stablehlo", "m.mlir"), ("two.stablehlo", "m.mlir")]:
                (pathlib.Path(zoo) / name).mkdir()
                (pathlib.Path(zoo) / name / file).touch()
            graphs = opencl.zoo_graphs(zoo, ["*"])
            self.assertEqual({name: path.name for name, path in graphs.items()}, {"one": "m.onnx", "two": "m.mlir"})
            self.assertEqual(list(opencl.zoo_graphs(zoo, ["t*"])), ["two"])


if __name__ == "__main__":
    unittest.main()
