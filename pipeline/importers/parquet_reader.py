"""Prints a table of Parquet as CSV: a program of its own, which `parquet` runs beside the app.

Its arguments are the library, the file, the most rows, and the most bytes of memory that it may take, 0 for any.
"""

import csv
import sys
from importlib import import_module


def main(library: str, path: str, rows: str, memory: str) -> None:
    """Exits with 1 and a last line on stderr where the file can't be read."""
    if int(memory):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        least = int(memory) if most == resource.RLIM_INFINITY else min(int(memory), most)
        resource.setrlimit(resource.RLIMIT_AS, (least, least))
    module = import_module(library)
    try:
        if library == "polars":
            frame = module.read_parquet(path, n_rows=int(rows))
            names, cells = frame.columns, frame.iter_rows()
        else:
            table = module.read_table(path)
            names, cells = table.column_names, zip(*(column.to_pylist() for column in table.columns), strict=True)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(cells)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - a panic of polars is no Exception
        told = " ".join(str(error).split())
        print(f"\n{told or type(error).__name__}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
