"""Tokens: texts that are the same for equal values, in every process; what dask names its tasks by."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pantler import _pantler
from pantler.later import Later

if TYPE_CHECKING:
    import hashlib

    import numpy as np
else:
    hashlib, np = Later("hashlib"), Later("numpy")


def token(*values: Any) -> str:
    """Return the token of values: plain ones, arrays, and whatever has a token itself."""
    digest = hashlib.sha256()
    for value in values:
        for part in _parts(value):
            # The length goes in front, so that two parts are never one.
            digest.update(b"%d:" % len(part))
            digest.update(part)
    return digest.hexdigest()


def token_of_object(obj: _pantler.DataObject, /) -> str:
    """Return the token of an object: of the dataset's identity where it is unchanged since it was read, else of its values."""
    origin = obj.origin
    if origin is not None:
        return token(obj.class_name, origin["id"], origin["part"], origin["whole"])
    if isinstance(obj, (_pantler.Image, _pantler.Mask)):
        planes = obj.planes if isinstance(obj, _pantler.Mask) else {}
        return token(obj.class_name, obj.array, planes, tuple(obj.bbox), obj.metadata)
    if isinstance(obj, _pantler.Bbox):
        return token("Bbox", *obj)
    if isinstance(obj, _pantler.Document):
        return token("Document", obj.value)
    if isinstance(obj, _pantler.Metadata):
        return token("Metadata", *obj.cards())
    if isinstance(obj, _pantler.Table):
        said = [(name, obj.unit(name), obj.description(name)) for name in obj.columns]
        return token("Table", said, *(obj[name] for name in obj.columns), obj.metadata)
    parts = [name for name in obj.component_names if name != "bbox"]
    if parts:
        return token(obj.class_name, *((name, obj.component(name)) for name in parts))
    from pantler.convert import scratch

    return token(obj.class_name, scratch.written(obj, obj.class_name))


def _parts(value: Any) -> Iterator[bytes]:
    own = getattr(type(value), "__dask_tokenize__", None)
    if own is not None:
        yield str(own(value)).encode()
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype.str}{value.shape}".encode()
        if isinstance(value, np.ma.MaskedArray):
            yield np.ma.getmaskarray(value).tobytes()
            value = value.filled()
        yield np.ascontiguousarray(value).tobytes() if value.dtype.kind != "O" else repr(value.tolist()).encode()
    elif isinstance(value, Mapping):
        yield b"{%d}" % len(value)
        for key in sorted(value, key=str):
            yield from _parts(key)
            yield from _parts(value[key])
    elif isinstance(value, (list, tuple)):
        yield b"[%d]" % len(value)
        for each in value:
            yield from _parts(each)
    elif isinstance(value, bytes):
        yield value
    elif isinstance(value, os.PathLike):
        yield os.fsencode(value)
    else:
        yield f"{type(value).__name__} {value!r}".encode()
