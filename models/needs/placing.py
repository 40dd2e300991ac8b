"""Which device each tensor goes to under `device_map="auto"`.

Source: transformers' `get_balanced_memory` and `infer_auto_device_map` (integrations/accelerate.py), without their
buffers, which take a few hundred bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

_BUFFER = 1.25  # of the largest part, beside an equal share for each accelerator
_SPARE = 0.9  # of a lone accelerator, and of RAM
RAM, DISK = "ram", "disk"
_FIRST, _LAST = ("embed", "wte", "wpe", "token_embd", "tok_emb"), ("norm", "ln_f", "final", "rotary")


class _Part(NamedTuple):
    """A module, a decoder layer (which is never split), or a tensor. children: none for what can't be split."""

    name: str
    size: int
    children: tuple["_Part", ...]
    tensors: tuple[str, ...]


def shared_out(sizes: Mapping[str, int], room: Mapping[str, int]) -> dict[str, int]:
    """Bytes of each pool that weights may take, once they are spread evenly over the accelerators.

    Args:
        sizes: bytes of each tensor, by name.
        room: bytes free in each pool, the accelerators in order; `ram` may be among them.
    """
    found = {pool: int(free * _SPARE) if pool == RAM else free for pool, free in room.items()}
    cards = [pool for pool in room if pool != RAM and room[pool] > 0]
    if len(cards) == 1:
        found[cards[0]] = int(found[cards[0]] * _SPARE)
    if len(cards) < 2:
        return found
    parts = list(_leaves(_tree(sizes)))
    modules: dict[str, int] = {}
    for name, size in sizes.items():
        module = name.rpartition(".")[0]
        modules[module] = modules.get(module, 0) + size
    largest = max([part.size for part in parts] + list(modules.values()), default=0)
    share = sum(sizes.values()) // len(cards) + int(_BUFFER * largest)
    for card in cards[:-1]:
        found[card] = min(share, found[card])
    return found


def placed(sizes: Mapping[str, int], limits: Mapping[str, int]) -> dict[str, str]:
    """The pool of each tensor, `disk` for what fits nowhere.

    Args:
        sizes: bytes of each tensor, by name.
        limits: bytes that weights may take in each pool, the accelerators in order, `ram` among them.
    """
    devices = [*(pool for pool in limits if pool != RAM), *([RAM] if RAM in limits else []), DISK]
    keeps_room = {"mps"} if "mps" in limits else {devices[0], RAM}
    waiting = list(_tree(sizes))
    used = dict.fromkeys(devices, 0)
    found: dict[str, str] = {}
    current = 0
    names, largest = _largest(waiting)
    while waiting:
        part = waiting.pop(0)
        names = {name for name in names if name != part.name and not name.startswith(part.name + ".")}
        if not names:
            names, largest = _largest([part for part in waiting if part.children or part.name not in sizes])
        device = devices[current]
        spare = largest if device in keeps_room else 0
        if device == DISK or used[device] + part.size <= limits[device] - spare:
            used[device] += part.size
            found.update(dict.fromkeys(part.tensors, device))
        elif part.children:
            waiting = [*part.children, *waiting]
            names, largest = _largest([part for part in waiting if part.children or part.name not in sizes])
        else:
            used[device] += spare
            current += 1
            waiting.insert(0, part)
    return found


def _tree(sizes: Mapping[str, int]) -> tuple[_Part, ...]:
    return _grown([(name.split("."), name) for name in sizes], sizes, "", layer=False)


def _grown(
    paths: list[tuple[list[str], str]], sizes: Mapping[str, int], prefix: str, *, layer: bool
) -> tuple[_Part, ...]:
    """The parts below a prefix, in the order that models have them in: tensors, embeddings, layers, norms, the head."""
    below: dict[str, list[tuple[list[str], str]]] = {}
    for path, name in paths:
        below.setdefault(path[0], []).append((path[1:], name))
    numbered = all(key.isdigit() for key in below)
    parts = []
    for key in sorted(below, key=int) if numbered else sorted(below, key=lambda key: _place(key, not below[key][0][0])):
        inner = below[key]
        full, names = prefix + key, tuple(name for _, name in inner)
        whole = layer or (numbered and bool(prefix))
        if whole or not inner[0][0]:
            children: tuple[_Part, ...] = ()
        else:
            children = _grown(inner, sizes, full + ".", layer=False)
        parts.append(_Part(full, sum(sizes[name] for name in names), children, names))
    return tuple(parts)


def _place(key: str, tensor: bool) -> tuple[int, int]:
    if tensor:
        return 0, 0
    for place, words in ((1, _FIRST), (3, _LAST)):
        if any(word in key for word in words):
            return place, 0
    return (4, 0) if key in ("lm_head", "embed_out", "output") else (2, 0)


def _leaves(parts: Iterable[_Part]) -> Iterable[_Part]:
    for part in parts:
        if part.children:
            yield from _leaves(part.children)
        else:
            yield part


def _largest(parts: Sequence[_Part]) -> tuple[set[str], int]:
    """The largest of what can't be split, and its bytes."""
    leaves = list(_leaves(parts))
    size = max((leaf.size for leaf in leaves), default=0)
    return {leaf.name for leaf in leaves if leaf.size == size}, size
