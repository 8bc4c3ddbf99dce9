"""Bars of ratios on a logarithmic axis: to the right of 1 is faster, to the left slower."""

import dataclasses
import math

from report.results import TIE
from report.svg import BAND, COLORS, FAINT, GRID, INK, SOFT, Drawing

WIDTH, LABELS_END, PLOT_START, PLOT_END, NOTES_START = 960, 214, 240, 790, 836
BAR, BAR_GAP, ROW_GAP, HEADING = 9, 2, 11, 32
STEPS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 0.7, 1, 1.5, 2, 3, 4, 6, 8]


@dataclasses.dataclass
class Row:
    """A label, and for each series a `Ratio` or None and what stands to the right of the bars."""

    label: str
    ratios: list
    notes: list
    is_mean: bool = False


class Axis:
    """Maps ratios to x. The few that are far larger than the rest are cut off at the right end."""

    def __init__(self, ratios):
        lowest = min([r.low for r in ratios], default=1)
        highest = sorted([r.high for r in ratios] or [1])
        usual = highest[math.ceil(0.9 * len(highest)) - 1]
        self.low = max([s for s in STEPS if s <= min(0.7, lowest * 0.96)], default=STEPS[0])
        self.high = min([s for s in STEPS if s >= max(1.5, usual)], default=STEPS[-1])

    @property
    def ticks(self):
        return [s for s in STEPS if self.low <= s <= self.high]

    def x(self, ratio):
        share = math.log(min(max(ratio, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return PLOT_START + share * (PLOT_END - PLOT_START)


def row_height(series):
    return len(series) * (BAR + BAR_GAP) - BAR_GAP + ROW_GAP


def draw_axis(drawing, axis, top, bottom, sides):
    drawing.rectangle(axis.x(1 / TIE), top, axis.x(TIE) - axis.x(1 / TIE), bottom - top, BAND)
    for tick in axis.ticks:
        x = axis.x(tick)
        drawing.line(x, top, x, bottom, stroke=INK if tick == 1 else GRID, width=1.2 if tick == 1 else 1)
        drawing.text(x, bottom + 17, f"{tick:g}×", size=11.5, fill=SOFT, anchor="middle")
    left, right = sides
    drawing.text(axis.x(1 / TIE) - 8, top - 8, "◂ " + left, size=11.5, fill=SOFT, anchor="end")
    drawing.text(axis.x(1), top - 8, "tie", size=11.5, fill=FAINT, anchor="middle")
    drawing.text(axis.x(TIE) + 8, top - 8, right + " ▸", size=11.5, fill=SOFT)


def draw_bar(drawing, axis, y, ratio, color):
    """One bar with its spread and its figure."""
    one, end, middle = axis.x(1), axis.x(ratio.median), y + BAR / 2
    drawing.rectangle(min(one, end), y, max(1.0, abs(end - one)), BAR, color)
    low, high = axis.x(ratio.low), axis.x(ratio.high)
    if ratio.median > axis.high:  # cut off: the bar ends in a point
        drawing.polygon([(end, y), (end + 7, middle), (end, y + BAR)], color)
        high = end + 7
    elif high - low > 1:
        drawing.line(low, middle, high, middle, width=1.2)
        for x in (low, high):
            drawing.line(x, middle - 2.5, x, middle + 2.5, width=1.2)
    figure = f"{ratio.median:.1f}" if ratio.median >= 10 else f"{ratio.median:.2f}"
    if ratio.median >= 1:
        drawing.text(max(end, high) + 5, middle + 3.8, figure, size=10.5)
    else:
        drawing.text(min(end, low) - 5, middle + 3.8, figure, size=10.5, anchor="end")


def draw_row(drawing, axis, y, row):
    height = len(row.ratios) * (BAR + BAR_GAP) - BAR_GAP
    weight = 600 if row.is_mean else None
    drawing.text(LABELS_END, y + height / 2 + 4.2, row.label, size=12.5, anchor="end", weight=weight)
    if len(set(row.notes)) == 1:
        drawing.text(NOTES_START, y + height / 2 + 4.2, row.notes[0], size=11.5, fill=SOFT)
    for i, (ratio, note) in enumerate(zip(row.ratios, row.notes)):
        at = y + i * (BAR + BAR_GAP)
        if ratio:
            draw_bar(drawing, axis, at, ratio, COLORS[i])
        if len(set(row.notes)) > 1:
            drawing.text(NOTES_START, at + BAR / 2 + 3.8, note, size=10.5, fill=SOFT)


def draw(title, subtitle, sections, series, sides, notes):
    """sections: [(heading, [Row])]; series: what the bars of a row are; sides: what a bar to the
    left and one to the right mean; notes: the heading of the notes."""
    axis = Axis([r for _, rows in sections for row in rows for r in row.ratios if r])
    step, top = row_height(series), 112
    bottom = top + sum(HEADING + step * len(rows) for _, rows in sections) + 4
    drawing = Drawing(WIDTH, bottom + 36, title)
    drawing.heading(subtitle)
    if len(series) > 1:
        def mark(color):
            return lambda x, y: drawing.rectangle(x - 5, y - 5, 10, 10, color, radius=2)
        drawing.legend(WIDTH - 24, 34, [(mark(color), name) for color, name in zip(COLORS, series)])
    draw_axis(drawing, axis, top, bottom, sides)
    drawing.text(NOTES_START, top - 8, notes, size=11.5, fill=FAINT)
    y = top
    for heading, rows in sections:
        drawing.text(24, y + 20, heading, size=13, fill=SOFT, weight=600)
        y += HEADING
        for row in rows:
            draw_row(drawing, axis, y, row)
            y += step
    return drawing
