"""The roofline: attained speed against operations a byte, under what the machine can do at most."""

import math

from report.svg import COLORS, FAINT, GRID, INK, PAPER, SOFT, Drawing, text_width

WIDTH, HEIGHT = 960, 720
LEFT, RIGHT, TOP, BOTTOM = 70, 936, 96, 664
LABEL, LEADER = 11, 12
MODEL, KERNEL = COLORS[0], COLORS[2]


class Scale:
    """Maps the logarithm of a value to a coordinate."""

    def __init__(self, low, high, start, end):
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self):
        """Powers of ten, with 2 and 5 where they fit."""
        factors = (1, 2, 5) if self.high / self.low < 1e4 else (1,)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        ticks = [f * 10.0 ** p for p in powers for f in factors]
        return [t for t in ticks if self.low <= t * 1.0001 and t <= self.high * 1.0001]


def scales(points, peak):
    xs = [p[1] for p in points] or [1]
    ys = [y for p in points for y in p[2:] if y] or [peak]
    return (Scale(min(xs) / 1.8, max(xs) * 2.2, LEFT, RIGHT), Scale(min(ys) / 1.8, peak * 1.4, BOTTOM, TOP))


def draw_axes(drawing, x, y):
    for tick in x.ticks:
        drawing.line(x(tick), TOP, x(tick), BOTTOM, stroke=GRID)
        drawing.text(x(tick), BOTTOM + 18, f"{tick:g}", size=11.5, fill=SOFT, anchor="middle")
    for tick in y.ticks:
        drawing.line(LEFT, y(tick), RIGHT, y(tick), stroke=GRID)
        drawing.text(LEFT - 8, y(tick) + 4, f"{tick:g}", size=11.5, fill=SOFT, anchor="end")
    name = "operations for each byte that the fused kernels read or write"
    drawing.text(RIGHT, BOTTOM + 38, name, size=12, fill=SOFT, anchor="end")
    drawing.text(24, TOP - 10, "GFLOP/s", size=12, fill=SOFT)


def draw_roofs(drawing, x, y, limits):
    """The ceiling, and one slope a level of memory up to it. Returns the boxes of their labels."""
    peak, boxes = limits["fma_gflops"], []
    fastest = max(limits["gb_per_s"].values())
    drawing.line(max(LEFT, x(peak / fastest)), y(peak), RIGHT, y(peak), width=1.6)
    name = f"multiply-adds, {peak:.0f} GFLOP/s"
    drawing.text(RIGHT - 4, y(peak) - 7, name, size=LABEL, anchor="end")
    boxes.append((RIGHT - 4 - text_width(name, LABEL), y(peak) - 20, RIGHT, y(peak)))
    slope = -math.degrees(math.atan((BOTTOM - TOP) / math.log(y.high / y.low)
                                    / ((RIGHT - LEFT) / math.log(x.high / x.low))))
    for level, rate in limits["gb_per_s"].items():
        start = max(x.low, y.low / rate)
        end = min(peak / rate, x.high)
        if start < end:
            drawing.line(x(start), y(start * rate), x(end), y(end * rate), stroke=INK if level == "memory" else FAINT,
                         width=1.6 if level == "memory" else 1.2, dash=None if level == "memory" else "5 4")
            at = start * (end / start) ** 0.04
            name = f"{level}, {rate:.0f} GB/s"
            drawing.text(x(at) - 6, y(at * rate) - 6, name, size=LABEL, angle=slope)
            run = text_width(name, LABEL) * math.cos(math.radians(slope))
            rise = -text_width(name, LABEL) * math.sin(math.radians(slope))
            boxes.append((x(at) - 18, y(at * rate) - rise - 6, x(at) + run - 6, y(at * rate)))
    return boxes


def overlap(a, b):
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def connection(x, top, bottom):
    """Small boxes along the line between a point and its peer's."""
    return [(x - 2, at, x + 2, at + 6) for at in range(int(top), int(bottom), 6)]


def nearest(px, py, box):
    """The point of a box that is nearest to a point."""
    return min(max(px, box[0]), box[2]), min(max(py, box[1]), box[3])


def place_label(px, py, width, taken):
    """A box for a label near its point that overlaps nothing, if there is one, and whose line to
    the point crosses as little as possible."""
    best, least = (px + 8, py - 7, px + 8 + width, py + 7), math.inf
    for dy in range(-154, 155, 7):
        for left in [px + d for d in (8, 24, 48, 80)] + [px - width - d for d in (8, 24, 48, 80)] + [px - width / 2]:
            box = (left, py + dy - 7, left + width, py + dy + 7)
            if box[0] < LEFT or box[2] > RIGHT or box[3] > BOTTOM or any(overlap(box, t) for t in taken):
                continue
            ex, ey = nearest(px, py, box)
            length = math.hypot(ex - px, ey - py)
            steps = [(px + (ex - px) * i / 12, py + (ey - py) * i / 12) for i in range(2, 12)]
            crossed = sum(any(t[0] < sx < t[2] and t[1] < sy < t[3] for t in taken) for sx, sy in steps)
            cost = length + (15 * crossed if length > LEADER else 0)
            if cost < least:
                best, least = box, cost
    return best


def draw_labels(drawing, labels, taken):
    """labels: [(x, y, name)]"""
    for px, py, name in labels:
        box = place_label(px, py, text_width(name, LABEL), taken)
        taken.append(box)
        ex, ey = nearest(px, py, box)
        if math.hypot(ex - px, ey - py) > LEADER:
            drawing.line(px, py, ex, ey, stroke=FAINT, width=0.8)
        middle = (box[0] + box[2]) / 2
        drawing.text(middle, box[3] - 3, name, size=LABEL, anchor="middle", halo=True)


def draw_legend(drawing):
    def dot(color):
        return lambda x, y: drawing.circle(x, y, 5, color)

    def ring(x, y):
        drawing.circle(x, y, 3.6, PAPER, stroke=SOFT, width=1.5)
    drawing.legend(RIGHT, 34, [(dot(MODEL), "tfc, models"), (dot(KERNEL), "tfc, kernels"),
                               (ring, "best peer at the same work")])


def draw(title, subtitle, points, limits, label, color):
    """points: [(name, operations a byte, GFLOP/s, GFLOP/s of the best peer or None)]; `label` and
    `color` are functions of a name."""
    drawing = Drawing(WIDTH, HEIGHT, title)
    drawing.heading(subtitle)
    x, y = scales(points, limits["fma_gflops"])
    draw_axes(drawing, x, y)
    taken = draw_roofs(drawing, x, y, limits)
    taken.append((LEFT, 0, RIGHT, y(limits["fma_gflops"]) + 4))
    for name, intensity, rate, other in points:
        px, py = x(intensity), y(rate)
        taken.append((px - 6, py - 6, px + 6, py + 6))
        if other:
            taken.append((px - 5, y(other) - 5, px + 5, y(other) + 5))
            taken += connection(px, min(py, y(other)), max(py, y(other)))
            drawing.line(px, py, px, y(other), stroke=color(name), width=1)
            drawing.circle(px, y(other), 3.6, PAPER, stroke=color(name), width=1.5)
    draw_labels(drawing, [(x(p[1]), y(p[2]), label(p[0])) for p in sorted(points, key=lambda p: -p[1])], taken)
    for name, intensity, rate, _ in points:
        drawing.circle(x(intensity), y(rate), 5, color(name))
    draw_legend(drawing)
    return drawing
