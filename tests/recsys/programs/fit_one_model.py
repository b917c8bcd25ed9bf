"""Import the library, fit a model, and print where the library is and a list."""

from pathlib import Path

import recsys
from recsys.models import ItemKNN

if __name__ == "__main__":
    log = recsys.Interactions([0, 0, 0, 0, 1, 1, 2, 2, 2, 3], [0, 1, 2, 3, 0, 1, 0, 1, 2, 0])
    items, _ = ItemKNN().fit(log).recommend(3, 3)
    print(Path(recsys.__file__).parent, items.tolist(), sep="\n")
