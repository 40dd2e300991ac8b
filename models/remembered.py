"""What rungs need, estimated from their files."""

from collections.abc import Mapping

import msgspec

from .ladder import ModelSpec
from .need import need_bytes, token_bytes, weight_bytes


class Need(msgspec.Struct, frozen=True):
    """Bytes by pool: `need` with the cache of a full context, `peak` of the load. parts: weights and cache."""

    need: dict[str, int]
    peak: dict[str, int]
    per_token: dict[str, int]
    measured: bool
    parts: dict[str, int]


class Needs:
    """Needs of rungs; those that ran out of memory are remembered to need more."""

    def __init__(self) -> None:
        self._more: dict[ModelSpec, int] = {}

    def of(self, spec: ModelSpec) -> Need:
        need = need_bytes(spec.source, spec.context) + self._more.get(spec, 0)
        parts = {"weights": weight_bytes(spec.source), "cache": spec.context * token_bytes(spec.source)}
        return Need({spec.pool: need}, {spec.pool: need}, {spec.pool: token_bytes(spec.source)}, False, parts)

    def learn(self, spec: ModelSpec, held: Mapping[str, int]) -> Need:  # noqa: ARG002
        return self.of(spec)

    def ran_out(self, spec: ModelSpec) -> Need:
        need = self.of(spec).need[spec.pool]
        self._more[spec] = self._more.get(spec, 0) + max(100_000_000, need // 5)
        return self.of(spec)
