"""Small records in a folder of the user's cache: one JSON file each, whole at every moment."""

import logging
import tempfile
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

log = logging.getLogger("gearshift.models")

Record = TypeVar("Record", bound=msgspec.Struct)


class Store(Generic[Record]):
    """Records of one type by key. Several processes may use the folder at once: the last to write a record wins.

    A file that holds no such record is logged once and counts as absent. Where the folder can't be written there is
    one warning, and what is put is kept by this object.
    """

    def __init__(self, folder: Path, kind: type[Record]) -> None:
        self._folder, self._kind = folder, kind
        self._kept: dict[str, Record] = {}
        self._told: set[str] = set()

    def get(self, key: str) -> Record | None:
        """The record, as whoever wrote last left it."""
        file = self._file(key)
        try:
            return msgspec.json.decode(file.read_bytes(), type=self._kind)
        except FileNotFoundError:
            pass
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._tell(f"{file} is damaged ({error}); it will be made anew")
        except OSError as error:
            self._tell(f"{file} can't be read: {error.strerror or error}")
        return self._kept.get(key)

    def put(self, key: str, record: Record) -> None:
        self._kept[key] = record
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("wb", dir=self._folder, suffix=".partial", delete=False) as file:
                file.write(msgspec.json.format(msgspec.json.encode(record)))
            partial = Path(file.name)
            try:
                partial.replace(self._file(key))
            except OSError:
                partial.unlink()
                raise
        except OSError as error:
            why = error.strerror or error
            self._tell(f"{self._folder} can't be written ({why}); what rungs need is measured anew in each run")

    def _file(self, key: str) -> Path:
        return self._folder / f"{self._kind.__name__.lower()}-{key}.json"

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            log.warning("%s", what)
