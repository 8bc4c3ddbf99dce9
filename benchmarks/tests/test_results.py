import unittest

from report.results import Ratio, geometric_mean
from tests import fixture
from tests.fixture import results, timed


class RatioTests(unittest.TestCase):
    def test_median_and_middle_half(self):
        self.assertEqual(Ratio.of([5, 1, 2, 4, 3]), Ratio(3, 2, 4))
        self.assertEqual(Ratio.of([1.5]), Ratio(1.5, 1.5, 1.5))

    def test_small_or_contradictory_differences_are_ties(self):
        self.assertTrue(Ratio(1.14, 1.13, 1.14).is_tie)
        self.assertTrue(Ratio(0.88, 0.87, 0.89).is_tie)
        self.assertTrue(Ratio(1.5, 0.9, 1.6).is_tie)
        self.assertFalse(Ratio(1.2, 1.1, 1.3).is_tie)
        self.assertFalse(Ratio(0.8, 0.7, 0.9).is_tie)

    def test_geometric_mean(self):
        self.assertAlmostEqual(geometric_mean([0.5, 2, 4, 0.25]), 1)


class ResultsTests(unittest.TestCase):
    def test_ratio_is_taken_round_by_round(self):
        """A spell in which everything takes five times as long changes no ratio."""
        r = results(timed("minilm", "ort", [2.0, 10.0, 2.0]) + timed("minilm", "tfc", [1.0, 5.0, 1.0]))
        self.assertEqual(r.ratio("minilm", 1), Ratio(2, 2, 2))

    def test_rounds_in_which_a_side_failed_do_not_count(self):
        r = results(timed("minilm", "ort", [2.0, None, 3.0]) + timed("minilm", "tfc", [1.0, 1.0, None]))
        self.assertEqual(r.ratio("minilm", 1), Ratio(2, 2, 2))
        self.assertEqual(len(r.failed), 2)

    def test_best_peer_is_one_for_all_rounds(self):
        """Not the fastest of each round, which would favour whoever is noisy."""
        r = results(timed("m", "ort", [2.0, 9.0, 2.0]) + timed("m", "xla", [3.0] * 3) + timed("m", "tfc", [1.0] * 3))
        self.assertEqual(r.best_peer("m", 1), "ort")
        self.assertEqual(r.ratio("m", 1).median, 2)

    def test_missing_sides_have_no_ratio(self):
        r = results(timed("a", "tfc", [1.0]) + timed("b", "ort", [1.0]))
        self.assertIsNone(r.ratio("a", 1))
        self.assertIsNone(r.ratio("b", 1))
        self.assertIsNone(r.mean_ratio(["a", "b"], 1))

    def test_thread_counts_are_kept_apart(self):
        r = results(timed("m", "ort", [4.0]) + timed("m", "tfc", [2.0]) + timed("m", "ort", [3.0], threads=2)
                    + timed("m", "tfc", [1.0], threads=2), threads=(1, 2))
        self.assertEqual([r.ratio("m", t).median for t in (1, 2)], [2, 3])

    def test_kinds(self):
        self.assertEqual(fixture.example().kinds(), [
            ("Models", ["minilm", "resnet50"]), ("Kernels", ["micro_embed_mean"]), ("Cost of a call", ["micro_null"])])

    def test_roofline_points_use_bytes_of_fused_kernels_else_of_the_data(self):
        points = {p[0]: p for p in fixture.example().roofline_points(1)}
        self.assertEqual(points["minilm"], ("minilm", 4.0, 0.8, 8 / 21))
        self.assertEqual(points["resnet50"][1], 8.0)
        self.assertNotIn("micro_null", points)

    def test_workloads_without_operations_have_no_point(self):
        self.assertEqual(results(timed("m", "tfc", [1.0]), flops=None).roofline_points(1), [])
