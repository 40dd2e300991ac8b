"""Chat completions over HTTP, as OpenAI's clients ask for them, from whatever rung the machine has room for.

```python
from fastapi import FastAPI
from gearshift.models import ModelManager
from gearshift.models.serving import create_app

mine = FastAPI()
mine.mount("/llm", create_app(ModelManager()))  # clients then take http://…/llm/v1 as their base_url
```

Names are imported when they are first used: this needs `pip install 'gearshift[serve]'`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from .app import create_app
    except ModuleNotFoundError as error:
        if error.name not in ("fastapi", "starlette"):
            raise
        raise ImportError(f"serving needs {error.name}; install it with: pip install 'gearshift[serve]'") from error
    return create_app
