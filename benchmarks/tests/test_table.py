import unittest

from report import table
from report.results import Ratio
from tests import fixture


class TableTests(unittest.TestCase):
    def test_numbers(self):
        for value, text in ((None, ""), (0, "0"), (79.23, "79.2"), (24270, "24300"), (7.14e-05, "0.0000714")):
            self.assertEqual(table.number(value), text)

    def test_rows_have_one_width(self):
        for text in (table.full(fixture.example()), table.short(fixture.example(), "results/x")):
            block = []
            for line in text.splitlines() + [""]:
                if line.startswith("|"):
                    block.append(line.count("|"))
                else:
                    self.assertLessEqual(len(set(block)), 1)
                    block = []

    def test_full_table(self):
        lines = table.full(fixture.example()).splitlines()
        self.assertIn("| minilm | 21 |  | 10 | ONNX Runtime | 2.10 (2.05 to 2.15) | faster | 0.8 |", lines)
        self.assertIn("| resnet50 | 4 |  | 4.1 | ONNX Runtime | 0.98 (0.96 to 1.00) | tie | 1.95 |", lines)
        self.assertIn("| micro_embed_mean |  | 91 | 1 | XLA* | 91.00 (90.50 to 91.50) | faster | 8 |", lines)
        self.assertIn("* Models: geometric mean of best peer / tfc over 2: **1.43**", lines)
        self.assertIn("* resnet50, OpenVINO, 1 thread: went wrong", lines)

    def test_readme_marks_what_is_faster(self):
        self.assertEqual([table.marked(Ratio(m, m, m)) for m in (2, 1.1, 0.5)], ["**2.00**", "1.10 (tie)", "0.50"])
        text = table.short(fixture.example(), "results/x")
        self.assertIn("| minilm | ONNX Runtime | 21 | 10 | **2.10** | 1.60 | 0.5 |  |  |", text)
        self.assertIn("(results/x/latency.svg)", text)
        self.assertNotIn("micro_", text)
