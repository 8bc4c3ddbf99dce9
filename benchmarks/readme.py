"""Writes the README's table from the newest complete results in benchmarks/results:

    python3 benchmarks/readme.py [--check]

--check writes nothing and fails when the README says something else. Without complete results the README
is left as it is.
"""

import json
import pathlib
import sys

from report import table
from report.results import Results

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def newest(results):
    """The folder with the newest complete results, or None."""
    found = {}
    for file in results.glob("*/results.json"):
        fields = json.loads(file.read_text())
        if fields["complete"]:
            found[fields["started"]] = file.parent
    return found[max(found)] if found else None


def replaced(text, block):
    """The text with another block between the marks."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"error: the README lacks the lines {BEGIN.strip()} and {END.strip()}")
    return before + BEGIN + block + END + after


def expected(root):
    """What the README has to say."""
    text, folder = (root / "README.md").read_text(), newest(root / "benchmarks/results")
    if not folder:
        return text
    return replaced(text, table.short(Results.load(folder), folder.relative_to(root)))


def main(arguments):
    text = expected(ROOT)
    if arguments not in ([], ["--check"]):
        return __doc__
    if not arguments:
        (ROOT / "README.md").write_text(text)
    elif text != (ROOT / "README.md").read_text():
        return "error: the README's table is not that of the newest results; run `make bench-readme`"
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
