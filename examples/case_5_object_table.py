"""Use case 5: a table of objects out of one catalog for each filter.

    python case_5_object_table.py FOLDER        (a folder that does not exist)
"""

import sys
from pathlib import Path

import sky
from pantler import Butler, ReadOnlyError, Table


def main(folder: str) -> None:
    root = Path(folder) / "catalogs"
    butler = Butler(outputs=root, policy=sky.policy("case_5_object_table"))
    butler.put(Table({"id": [11, 12, 13], "flux": [5.0, 6.0, 7.0]}), "src", filter="g", tract=0)
    butler.put(Table({"id": [13, 11, 14], "flux": [1.5, 2.5, 3.5]}), "src", filter="r", tract=0)

    # No `filter` in the data ID: the policy pins it for each component.
    objects = butler.get("objects", tract=0)
    for row in zip(*(objects[name] for name in objects.columns)):
        print(*row)
    print("one of its catalogs alone:", butler.get("objects.r", tract=0)["id"].tolist())

    # Nothing says how to take it apart, so it is read only. It can be put whole, as a type of its own.
    try:
        butler.put(objects, "objects", tract=0)
    except ReadOnlyError as error:
        print("refused:", error.message)
    print("put: written", ", ".join(butler.put(objects, "object_table", tract=0).written))
    for name in ("src", "object_table"):
        print(name, [ref.data_id for ref in butler.query(name)])


if __name__ == "__main__":
    main(sys.argv[1])
