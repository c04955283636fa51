"""What the compiled classes get from Python: conversions as methods, previews, tokens. Imported once, by the package."""

from __future__ import annotations

from importlib import import_module

from pantler import _pantler, tokens


class _Method:
    """A method whose module is imported when somebody first asks for it; from then on the class has the method itself."""

    def __init__(self, owner: type, known_as: str, module: str, name: str, makes_one: bool) -> None:
        self.owner, self.known_as, self.makes_one = owner, known_as, makes_one
        self.module, self.name = f"pantler.{module}", name

    def __get__(self, obj: object, owner: type | None = None) -> object:
        found = getattr(import_module(self.module), self.name)
        setattr(self.owner, self.known_as, staticmethod(found) if self.makes_one else found)
        return getattr(self.owner if obj is None else obj, self.known_as)


def _bbox(obj: _pantler.DataObject) -> _pantler.Bbox:
    """Where the pixels lie in the parent."""
    box: _pantler.Bbox = obj.component("bbox")
    return box


# The module of each method, and its name there.
_PICTURE = {"_repr_png_": ("previews", "picture")}
_PIXELS = {
    "to_ccddata": ("convert.pixels", "to_ccddata"),
    "to_nddata": ("convert.pixels", "to_nddata"),
    "to_hdulist": ("convert.files", "to_hdulist"),
}
_METHODS: dict[type, dict[str, tuple[str, str]]] = {
    _pantler.Exposure: _PIXELS | _PICTURE,
    _pantler.MaskedImage: _PIXELS | _PICTURE,
    _pantler.Image: _PIXELS | _PICTURE,
    _pantler.Mask: _PICTURE,
    _pantler.Metadata: {"_repr_html_": ("previews", "cards_html")},
    _pantler.Table: {
        "to_qtable": ("convert.tables", "to_qtable"),
        "to_pandas": ("convert.tables", "to_pandas"),
        "to_polars": ("convert.tables", "to_polars"),
        "to_numpy": ("convert.tables", "to_numpy"),
        "_repr_html_": ("previews", "table_html"),
    },
    _pantler.Wcs: {"to_ape14": ("convert.coordinates", "to_ape14")},
}

# The same of those that make an object of the class out of another package's.
_MAKERS: dict[type, dict[str, tuple[str, str]]] = {
    _pantler.Exposure: {
        "from_nddata": ("convert.pixels", "from_nddata"),
        "from_hdulist": ("convert.files", "exposure_of_hdulist"),
    },
    _pantler.Table: {
        "from_astropy": ("convert.tables", "from_astropy_table"),
        "from_pandas": ("convert.tables", "from_pandas"),
        "from_polars": ("convert.tables", "from_polars"),
        "from_arrow": ("convert.tables", "from_arrow"),
        "from_numpy": ("convert.tables", "from_numpy"),
    },
    _pantler.Wcs: {"from_astropy": ("convert.coordinates", "from_astropy_wcs")},
}

for _all, _makes_one in ((_METHODS, False), (_MAKERS, True)):
    for _class, _methods in _all.items():
        for _name, _where in _methods.items():
            setattr(_class, _name, _Method(_class, _name, *_where, _makes_one))
for _class in (_pantler.Exposure, _pantler.MaskedImage, _pantler.Image, _pantler.Mask):
    setattr(_class, "bbox", property(_bbox))
setattr(_pantler.DataObject, "__dask_tokenize__", tokens.token_of_object)
