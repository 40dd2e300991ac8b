"""Small records in a folder of the user's cache: one JSON file each, whole at every moment."""

import logging
from pathlib import Path
from typing import TypeVar

import msgspec

from ...pipeline.reading import NOTED, read_whole
from ...pipeline.replacing import private_folder, replace_file

log = logging.getLogger("gearshift.models")

Record = TypeVar("Record", bound=msgspec.Struct)


class Store:
    """Records by type and key. Several processes may use the folder at once: the last to write a record wins.

    The folder is made for this user alone, and so is each file, in a folder that others see too.

    A file that holds no such record is logged once and counts as absent. Where the folder can't be used there is one
    warning, and what is put is kept by this object.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[Path, msgspec.Struct] = {}
        self._told: set[str] = set()

    def get(self, kind: type[Record], key: str) -> Record | None:
        """The record, as whoever wrote last left it."""
        file = self._file(kind, key)
        try:
            return msgspec.json.decode(read_whole(file, NOTED), type=kind)
        except FileNotFoundError:
            pass
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._tell(str(file), f"{file} is damaged ({error}); it will be made anew")
        except OSError as error:
            self._unusable(error)
        found = self._kept.get(file)
        return found if isinstance(found, kind) else None

    def put(self, key: str, record: msgspec.Struct) -> None:
        """Keep it, in the place of what was there."""
        file = self._file(type(record), key)
        self._kept[file] = record
        try:
            private_folder(self._folder)
            replace_file(file, msgspec.json.format(msgspec.json.encode(record)), private=True)
        except OSError as error:
            self._unusable(error)

    def _file(self, kind: type[msgspec.Struct], key: str) -> Path:
        return self._folder / f"{kind.__name__.lower()}-{key}.json"

    def _unusable(self, error: OSError) -> None:
        why = error.strerror or error
        self._tell("", f"{self._folder} can't be used ({why}); what rungs need is measured anew in each run")

    def _tell(self, of: str, what: str) -> None:
        if of not in self._told:
            self._told.add(of)
            log.warning("%s", what)
