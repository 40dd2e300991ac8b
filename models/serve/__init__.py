"""The ladder on a Ray cluster: a model on each node, requests where the best rung has room, conversations in the fleet.

```python
from ray import serve
from gearshift.models.serve import Fleet, application

serve.run(application("ladder.toml", replicas=3), name="gearshift")  # OpenAI's clients: http://HOST:8000/v1
with Fleet() as fleet:
    fleet.decisions.subscribe(print)
    print(fleet.respond("Hello", "ann"))
```

Names are imported when they are first used: this needs `pip install 'gearshift[ray]'`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .deploying import application, build
    from .fleet import Fleet
    from .router import RoomRouter
    from .scaling import autoscaling, headroom_policy

__all__ = ["Fleet", "RoomRouter", "application", "autoscaling", "build", "headroom_policy"]

_ROOMS = {
    "Fleet": "fleet", "RoomRouter": "router", "application": "deploying", "autoscaling": "scaling",
    "build": "deploying", "headroom_policy": "scaling",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("ray", "fastapi", "starlette"):
            raise
        raise ImportError(f"a fleet needs {error.name}; install it with: pip install 'gearshift[ray]'") from error
