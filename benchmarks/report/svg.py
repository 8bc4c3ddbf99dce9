"""Drawings as SVG text."""

from xml.sax.saxutils import escape, quoteattr

PAPER, INK, SOFT, FAINT, GRID, BAND = "#ffffff", "#1b2733", "#5b6875", "#8a96a3", "#e3e7eb", "#f3f5f7"
FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"
# Colours that differ in lightness too, for those who see few hues and for paper.
COLORS = ["#2f5d9e", "#8db4e2", "#0f766e", "#d97706"]


def text_width(string, size):
    """About how wide a text is; wide enough on most systems."""
    narrow, wide = set("ijltfr.,:;'|()[] 1"), set("mwMWGOQ@%")
    return size * sum(0.34 if c in narrow else 0.86 if c in wide else 0.57 for c in string)


class Drawing:
    """A canvas that collects elements."""

    def __init__(self, width, height, title):
        self.width, self.height, self.title = width, height, title
        self.elements = []

    def element(self, name, content=None, **attributes):
        words = [name] + [f"{key.replace('_', '-')}={quoteattr(plain(value))}"
                          for key, value in attributes.items() if value is not None]
        end = "/>" if content is None else f">{escape(content)}</{name}>"
        self.elements.append("<" + " ".join(words) + end)

    def rectangle(self, x, y, width, height, fill, radius=None):
        self.element("rect", x=x, y=y, width=width, height=height, fill=fill, rx=radius)

    def line(self, x1, y1, x2, y2, stroke=INK, width=1, dash=None):
        self.element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width,
                     stroke_dasharray=dash)

    def circle(self, x, y, radius, fill, stroke=PAPER, width=1):
        self.element("circle", cx=x, cy=y, r=radius, fill=fill, stroke=stroke, stroke_width=width)

    def polygon(self, points, fill):
        self.element("polygon", points=" ".join(f"{plain(x)},{plain(y)}" for x, y in points), fill=fill)

    def text(self, x, y, string, size=12, fill=INK, anchor=None, weight=None, angle=None, halo=False):
        """`halo` keeps what lies behind the letters away from them."""
        around = {"stroke": PAPER, "stroke_width": 3, "stroke_linejoin": "round", "paint_order": "stroke"}
        turned = None if angle is None else f"rotate({plain(angle)} {plain(x)} {plain(y)})"
        self.element("text", string, x=x, y=y, font_size=size, fill=fill, text_anchor=anchor, font_weight=weight,
                     transform=turned, **(around if halo else {}))

    def heading(self, subtitle):
        """The title and a line under it; takes 64 units of height."""
        self.text(24, 34, self.title, size=18, weight=600)
        self.text(24, 55, subtitle, size=12.5, fill=SOFT)

    def legend(self, x, y, entries):
        """[(draw a mark at x and y, name)] in a row that ends at x."""
        for mark, name in reversed(entries):
            x -= text_width(name, 12)
            self.text(x, y, name, size=12, fill=SOFT)
            x -= 12
            mark(x, y - 4)
            x -= 22

    def __str__(self):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{plain(self.width)}" height="{plain(self.height)}" '
                f'viewBox="0 0 {plain(self.width)} {plain(self.height)}" role="img" font-family="{FONT}">')
        paper = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
        return "\n".join([head, f"<title>{escape(self.title)}</title>", paper, *self.elements, "</svg>"]) + "\n"


def plain(value):
    """A number without useless digits; other values as they are."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
