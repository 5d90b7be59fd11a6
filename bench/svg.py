"""A line chart as SVG, readable on light and on dark ground."""

import math
from html import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 320, 80, 40, 230, 50
STYLE = """<style>
text { font: 13px sans-serif; fill: #333 } .title { font-size: 15px; font-weight: bold }
.grid { stroke: #ddd } .line { fill: none; stroke-width: 2 }
.s0 { stroke: #c2410c } .s1 { stroke: #7c3aed } .s2 { stroke: #047857 }
circle.s0 { fill: #c2410c } circle.s1 { fill: #7c3aed } circle.s2 { fill: #047857 }
@media (prefers-color-scheme: dark) {
text { fill: #ddd } .grid { stroke: #444 }
.s0 { stroke: #fb923c } .s1 { stroke: #c4b5fd } .s2 { stroke: #6ee7b7 }
circle.s0 { fill: #fb923c } circle.s1 { fill: #c4b5fd } circle.s2 { fill: #6ee7b7 } }
</style>"""


def decades(values):
    """Powers of ten around the values."""
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)
    return [10.0 ** e for e in range(low, high + 1)]


class Chart:
    """Lines over the same, evenly spaced places of x; y is logarithmic and must be positive."""

    def __init__(self, title, x_title, places, series):
        self.title, self.x_title, self.places, self.series = title, x_title, places, series
        self.grid = decades([y for _, ys in series for y in ys])

    def x(self, i):
        return LEFT + (WIDTH - LEFT - RIGHT) * i / max(len(self.places) - 1, 1)

    def y(self, value):
        share = math.log(value / self.grid[0]) / math.log(self.grid[-1] / self.grid[0])
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share

    def axes(self):
        for value in self.grid:
            y = self.y(value)
            yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
            yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        for i, place in enumerate(self.places):
            yield (f'<text x="{self.x(i):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
                   f"{escape(str(place))}</text>")
        yield (f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 10}" '
               f'text-anchor="middle">{escape(self.x_title)}</text>')

    def lines(self):
        for n, (name, ys) in enumerate(self.series):
            points = [(self.x(i), self.y(v)) for i, v in enumerate(ys)]
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            yield f'<path class="line s{n}" d="M{path}"/>'
            yield from (f'<circle class="s{n}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
                        for x, y in points)
            row = TOP + 14 + 22 * n
            yield f'<path class="line s{n}" d="M{WIDTH - RIGHT + 16} {row}h24"/>'
            yield f'<text x="{WIDTH - RIGHT + 46}" y="{row + 4}">{escape(name)}</text>'

    def parts(self):
        yield f'<text class="title" x="{LEFT}" y="24">{escape(self.title)}</text>'
        yield from self.axes()
        yield from self.lines()


def picture(charts):
    """The charts below each other, as one SVG document."""
    height = HEIGHT * len(charts)
    groups = "\n".join(
        f'<g transform="translate(0 {HEIGHT * i})">\n' + "\n".join(c.parts()) + "\n</g>"
        for i, c in enumerate(charts))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img">\n'
            f"<title>{escape('; '.join(c.title for c in charts))}</title>\n"
            f"{STYLE}\n{groups}\n</svg>\n")
