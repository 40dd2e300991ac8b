"""Which node is to answer."""

from .standing import Standing


def merit(standing: Standing | None, ahead: int) -> tuple[bool, float, bool]:
    """How good a node is for the next reply; the larger the better.

    First come those that answer now, of them those with the most quality for the time that a reply takes there: quality
    over its slowdown by the replies before it. Of equals come first those that will not soon have to shift down. No
    more than that: a shift that is on its way costs one wait, a line at the nodes without one costs all that come.

    Args:
        standing: what the node told last; None where it told nothing yet.
        ahead: how many replies are before this one there.

    Source: the slowdown of D. Feitelson et al., "Theory and Practice in Parallel Job Scheduling" (1997), for replies of
    equal length; the quality over time of Zhang et al., "Model-Switching" (HotCloud 2020).

    >>> best, small = (Standing("n", 0.0, "rung", quality, ready=True, roomy=True) for quality in (1.0, 0.6))
    >>> merit(best, 0) > merit(small, 0), merit(best, 1) > merit(small, 0)
    (True, False)
    """
    if standing is None:
        return False, 0.0, False
    return standing.ready, standing.quality / (1 + ahead), standing.ready and standing.roomy
