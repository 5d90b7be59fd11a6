"""Figures: medians, bars that are met or missed, tables."""

import statistics

median = statistics.median


def median_of(samples):
    """A sample whose every figure is the median of the samples' figures."""
    return {name: median(s[name] for s in samples) for name in samples[0]}


def median_ratio(ones, others, name):
    """The median of the ratios round by round, so that what drifts between rounds cancels."""
    return median(a[name] / b[name] for a, b in zip(ones, others, strict=True))


class Bar:
    """A target, and what was measured against it."""

    def __init__(self, what, at_most=None, at_least=None, unit="", measured=None, digits=2):
        self.what, self.at_most, self.at_least = what, at_most, at_least
        self.unit, self.measured, self.digits = unit, measured, digits

    def is_met(self):
        return self.measured is not None and (
            self.measured <= self.at_most if self.at_most is not None
            else self.measured >= self.at_least)

    def row(self):
        target = f"at most {self.at_most:g}" if self.at_most is not None \
            else f"at least {self.at_least:g}"
        measured = "not measured" if self.measured is None \
            else f"{self.measured:.{self.digits}f}{self.unit}"
        return [self.what, target + self.unit, measured, "met" if self.is_met() else "missed"]


BAR_HEAD = ["what", "target", "measured", ""]


def table(head, rows):
    """A table of Markdown that also reads well as it is; all but the first column to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells):
        cells = [cell.rjust(w) if i else cell.ljust(w)
                 for i, (cell, w) in enumerate(zip(cells, widths, strict=True))]
        return "| " + " | ".join(cells) + " |"

    rule = ["-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join([line(head), line(rule), *map(line, rows)]) + "\n"
