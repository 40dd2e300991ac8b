"""What is public: the modules that have a page, and every name in them."""

import importlib
from importlib.util import find_spec
from types import ModuleType
from typing import TypeVar

OPERATORS = (
    "calibrated", "conflate", "cooldown", "debounce", "gaps", "holt", "hysteresis", "rate_limit", "retry",
    "serialize", "stabilize", "staleness", "theil_sen", "trend",
)  # fmt: skip
_PAGES = (
    "gearshift.operators",
    *(f"gearshift.operators.{name}" for name in OPERATORS),
    "gearshift.operators.testing",
    "gearshift.pipeline",
    "gearshift.pipeline.fleet",
    "gearshift.pipeline.importers",
    "gearshift.pipeline.importers.vocabulary",
    "gearshift.pipeline.probes",
    "gearshift.pipeline.simulation",
    "gearshift.pipeline.telemetry",
    "gearshift.pipeline.testing",
    "gearshift.pipeline.views.report",
    "gearshift.models",
    "gearshift.models.hosts",
    "gearshift.models.hosts.inline",
    "gearshift.models.hosts.process",
    "gearshift.models.pytest_plugin",
    "gearshift.models.serve",
    "gearshift.models.serving",
    "gearshift.models.testing",
)
PAGES = tuple(name for name in _PAGES if find_spec(name) is not None)


def public_modules() -> list[ModuleType]:
    """Every module that has a page, with its names in place, also those that it imports at first use."""
    modules = [importlib.import_module(name) for name in PAGES]
    for module in modules:
        vars(module).update(public_names(module))
    return modules


def public_names(module: ModuleType) -> dict[str, object]:
    """What `__all__` names; without it, what is defined there and has no underscore."""
    names = getattr(module, "__all__", None)
    if names is not None:
        return {name: getattr(module, name) for name in names}
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
        and not isinstance(value, TypeVar)
    }
