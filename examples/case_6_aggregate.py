"""Use case 6: all catalogs of a filter as one table, from a data ID that says no more than the filter.

    python case_6_aggregate.py FOLDER        (a folder that does not exist)
"""

import sys
from pathlib import Path

import numpy as np

import sky
from pantler import Butler, Table


def main(folder: str) -> None:
    butler = Butler(outputs=Path(folder) / "catalogs", policy=sky.policy("case_6_aggregate"))
    for tract, patch in ((2, "0,0"), (1, "1,0"), (1, "0,0")):
        for filter in ("g", "r"):
            rows = Table({"tract": np.full(3, tract), "patch": [patch] * 3, "flux": np.arange(3.0)}, units={"flux": "nJy"})
            butler.put(rows, "src", filter=filter, tract=tract, patch=patch)

    # The order is that of the data IDs, whatever the order of the puts.
    every = butler.get("src_aggregate", filter="g")
    print(len(every), "rows, flux in", every.unit("flux"))
    for row in every.to_numpy()[::3]:
        print(row["tract"], row["patch"])

    # A further key makes it fewer.
    print(len(butler.get("src_aggregate", filter="g", tract=1)), "rows of tract 1")

    # The plan names every part, and where it lies.
    for part in butler.explain("src_aggregate", filter="g").components["parts"].components.values():
        print(part.data_id["tract"], part.data_id["patch"], part.location)

    # One after the other, a few read ahead: as many catalogs as there are, in the memory of some.
    total = sum(catalog["flux"].sum() for catalog in butler.get_many("src", butler.query("src", filter="g")))
    print("all fluxes:", total)


if __name__ == "__main__":
    main(sys.argv[1])
