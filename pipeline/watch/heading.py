"""The lines above and below: what is watched, what is loaded, how the machine is, which keys there are."""

from ..printable import clean
from ..samples import Sample
from .spans import Glyphs, Line, fitted, shortened, spread
from .story import Story
from .wording import MIB, elapsed, gib, lasting, moment

WINDOWS = (30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 6 * 3600.0, 86400.0)


def heading(story: Story, position: float, state: str, width: int) -> Line:
    """What is watched; the time, and the state of the stream."""
    right: Line = [(moment(story, position), "")] if story.times else []
    if state:
        right = [(f" {clean(state)} ", "alert"), (" ", ""), *right]
    return spread([("gearshift watch  ", "strong"), (clean(story.title), "")], right, width)


def resident(story: Story, position: float, width: int) -> Line:
    """The rung and since when; the ladder with the rung in brackets."""
    loaded = story.loaded_at(position)
    if loaded is None:
        told = "not known" if story.ladder and not story.pretended else "nothing"
        if not story.ladder:
            told = "no ladder, so nothing is decided" if story.pretended else "not told"
        since = ""
    else:
        told = clean(loaded.rung or "nothing")
        if loaded.state == "shifting":
            told += ", shifting"
        elif story.pretended and loaded.rung:
            told += " in pretence"
        since = f" since {moment(story, loaded.time)}, {lasting(position - loaded.time)}"
    name = loaded.rung if loaded is not None else None
    ladder = "  ".join(
        f"[{clean(rung.name)}]" if rung.name == name else clean(rung.name) for rung in story.ladder
    )  # fmt: skip
    line: Line = [("loaded ", "dim"), (told, "strong" if name else ""), (since, "")]
    return fitted([*line, ("   ladder ", "dim"), (ladder, "")] if ladder else line, width)


def machine(sample: Sample, width: int) -> Line:
    """Processor, stalls and swap, as far as the sample tells; and what could not be read."""
    told: list[str] = []
    if sample.cpu is not None:
        told.append(f"cpu {sample.cpu:.0%}")
    if sample.load is not None:
        told.append(f"load {sample.load:.1f}")
    if sample.pressure:
        told.append("stalls " + " ".join(f"{name} {p.some:.0%}" for name, p in sample.pressure.items()))
    if sample.swap_used is not None:
        pulled = f" ({sample.swap_in / MIB:.0f} MiB/s read)" if sample.swap_in else ""
        told.append(f"swap {gib(sample.swap_used)} GiB{pulled}")
    for name, device in sample.devices.items():
        if device.utilisation is not None:
            told.append(f"{shortened(name, 8)} {device.utilisation:.0%}")
    line: Line = [("system ", "dim"), ("  ".join(told) or "nothing but pools is told", "")]
    if sample.missing:
        line += [("  ", ""), ("missing: " + ", ".join(map(clean, sample.missing)), "alert")]
    return fitted(line, width)


def playback(story: Story, position: float, speed: float, paused: bool, width: int, glyphs: Glyphs) -> Line:
    """Where in the recording this is."""
    length = story.end - story.begin
    left = f"{'paused ' if paused else 'playing'} {speed:g}x  {elapsed(position - story.begin)} "
    right = f" {elapsed(length)}"
    room = max(1, width - len(left) - len(right) - 1)
    at = min(room, round((position - story.begin) / length * room)) if length > 0 else room
    track: Line = [(glyphs.done * at, "own"), (glyphs.head, "strong"), (glyphs.left * (room - at), "dim")]
    return fitted([(left, ""), *track, (right, "")], width)


def keys(window: float, recorded: bool, width: int) -> Line:
    """The most useful keys."""
    known = [("q", "quit"), ("?", "help"), ("space", "pause"), ("+ -", f"window {lasting(window)}"), ("m", "mark")]
    known += [("arrows", "seek"), ("< >", "speed")] if recorded else [("up down", "scroll")]
    line: Line = []
    for key, what in known:
        line += [(key, "strong"), (f" {what}  ", "dim")]
    return fitted(line, width)
