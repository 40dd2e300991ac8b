"""Courses in short, and drawn by chance."""

from gearshift.pipeline.fleet import Course, Standing
from hypothesis import strategies as st

QUALITY = {None: 0.0, "large": 1.0, "medium": 0.8, "small": 0.6}


def stands(rung: str | None = "large", *, ready: bool = True, roomy: bool = True) -> Standing:
    ready = ready and rung is not None
    return Standing("", 0.0, rung, QUALITY[rung], ready=ready, roomy=ready and roomy)


def course_of(*parts: tuple[float, Standing], changes: tuple[float, ...] = ()) -> Course:
    """Each standing for so many seconds."""
    times = [sum(seconds for seconds, _ in parts[:number]) for number in range(len(parts) + 1)]
    return Course(times[-1], tuple(map(float, times[:-1])), tuple(standing for _, standing in parts), changes)


standings = st.builds(stands, st.sampled_from(list(QUALITY)), ready=st.booleans(), roomy=st.booleans())
courses = st.lists(st.tuples(st.floats(0.5, 40.0), standings), min_size=1, max_size=6).map(lambda p: course_of(*p))
