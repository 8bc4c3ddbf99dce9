import json
import pathlib
import tempfile
import unittest

import readme
from report import table
from tests import fixture


class ReadmeTests(unittest.TestCase):
    def test_readme_says_what_the_newest_tracked_results_say(self):
        expected = readme.expected(readme.ROOT, readme.tracked_results(readme.ROOT))
        self.assertEqual((readme.ROOT / "README.md").read_text(), expected)

    def test_only_the_marked_part_changes(self):
        text = f"before\n{readme.BEGIN}old\n{readme.END}after\n"
        self.assertEqual(readme.replaced(text, "new\n"), f"before\n{readme.BEGIN}new\n{readme.END}after\n")
        with self.assertRaises(SystemExit):
            readme.replaced("no marks", "new\n")

    def test_newest_complete_results_are_taken(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, started, complete in (("b", "2026-01-02T00:00:00", True), ("a", "2026-01-03T00:00:00", True),
                                            ("c", "2026-01-04T00:00:00", False)):
                results = fixture.example()
                place = root / "benchmarks/results" / name
                place.mkdir(parents=True)
                fields = results.fields | {"started": started, "complete": complete}
                (place / "results.json").write_text(json.dumps(fields))
                (place / "machine.json").write_text(json.dumps(results.machine))
            (root / "README.md").write_text(f"x\n{readme.BEGIN}{readme.END}y\n")
            block = table.short(fixture.example(), "benchmarks/results/a")
            expected = f"x\n{readme.BEGIN}{block}{readme.END}y\n"
            self.assertEqual(readme.expected(root, readme.all_results(root)), expected)

    def test_without_results_the_readme_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "README.md").write_text("anything")
            self.assertEqual(readme.expected(pathlib.Path(folder), []), "anything")
