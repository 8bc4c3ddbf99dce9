import unittest
import xml.etree.ElementTree as xml

import plot
from report import bars
from report.results import Ratio
from report.svg import Drawing
from tests import fixture

TEXT = "{http://www.w3.org/2000/svg}text"


def texts(drawing):
    return [t.text for t in xml.fromstring(str(drawing)).iter(TEXT)]


class PlotTests(unittest.TestCase):
    def test_every_drawing_is_well_formed_and_within_its_borders(self):
        for draw in (plot.latency, plot.fused, plot.roof):
            root = xml.fromstring(str(draw(fixture.example())))
            width, height = float(root.get("width")), float(root.get("height"))
            for element in root.iter():
                for key, limit in (("x", width), ("cx", width), ("x1", width), ("y", height), ("cy", height)):
                    self.assertTrue(0 <= float(element.get(key, 0)) <= limit, xml.tostring(element))

    def test_drawings_of_nothing_are_well_formed(self):
        empty = fixture.results(fixture.timed("minilm", "tfc", [1.0]))
        for draw in (plot.latency, plot.fused, plot.roof):
            xml.fromstring(str(draw(empty)))

    def test_bars_say_their_figures(self):
        said = texts(plot.latency(fixture.example()))
        for text in ("minilm", "2.10", "embed mean", "91.0", "XLA*", "geometric mean", "Cost of a call"):
            self.assertIn(text, said)

    def test_special_characters_are_escaped(self):
        drawing = Drawing(10, 10, "a < b & c")
        drawing.text(1, 2, "<&>", fill='"')
        self.assertEqual(texts(drawing), ["<&>"])

    def test_axis_cuts_off_what_is_far_larger_than_the_rest(self):
        axis = bars.Axis([Ratio(1 + i / 20, 1 + i / 20, 1 + i / 20) for i in range(19)] + [Ratio(40, 39, 41)])
        self.assertEqual((axis.low, axis.high), (0.7, 2))
        self.assertEqual(axis.x(40), bars.PLOT_END)
        self.assertLess(axis.x(0.8), axis.x(1))
