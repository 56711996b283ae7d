"""Figures that a table has rounded."""

import math


def is_ratio(ratio: str, numerator: str, denominator: str) -> bool:
    """Whether the first figure is the ratio of the others, as far as what is printed of the three tells."""
    (found, above, below), half = zip(*((float(text), .5 * 10.**-len(text.partition('.')[2]))
                                        for text in (ratio, numerator, denominator)))
    lowest = (above - half[1]) / (below + half[2])
    highest = (above + half[1]) / (below - half[2]) if below > half[2] else math.inf
    return lowest - 1.01 * half[0] <= found <= highest + 1.01 * half[0]
