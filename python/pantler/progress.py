"""How far a long call is: a bar of tqdm's, a line on the terminal, or whatever function the caller has.

The engine tells at most twenty times in a second, on the thread that called, and always at the end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pantler.errors import PantlerError

if TYPE_CHECKING:
    from pantler.given import Progress

    Told = Callable[[int, int | None], object]

# How many seconds lie between two times that something is told from here.
_PAUSE = 0.05


@contextmanager
def told(progress: Progress, what: str) -> Iterator[Told | None]:
    """Give what is to be told of the progress, and take it off the screen at the end; `what` is the word beside a bar."""
    if progress is None or progress is False:
        yield None
    elif progress is True:
        bar = _bar(what)
        try:
            yield bar
        finally:
            if bar is not None:
                bar.close()
    elif callable(progress):
        yield progress
    else:
        raise PantlerError(
            f"progress cannot be a {type(progress).__name__}", hints=["it is True, or a function that takes (done, total)"]
        )


def counted(objects: Iterable[Any], total: int | None, progress: Progress, what: str) -> Iterator[Any]:
    """Go through objects, and tell how many were taken."""
    with told(progress, what) as tell:
        if tell is None:
            yield from objects
            return
        done, last, due = 0, -1, time.monotonic() + _PAUSE
        for each in objects:
            # What was asked for next is done with the one before.
            if time.monotonic() >= due:
                tell(done, total)
                last, due = done, time.monotonic() + _PAUSE
            yield each
            done += 1
        if last != done:
            tell(done, done if total is None else total)


def _bar(what: str) -> _Tqdm | _Line | None:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line(what) if sys.stderr is not None and sys.stderr.isatty() else None
    return _Tqdm(tqdm(desc=what, leave=False))


class _Tqdm:
    def __init__(self, bar: Any) -> None:
        self.bar = bar

    def __call__(self, done: int, total: int | None) -> None:
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


class _Line:
    """`ingesting 120/4000`, written over itself, and gone at the end."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.width = 0

    def __call__(self, done: int, total: int | None) -> None:
        text = f"{self.what} {done}" if total is None else f"{self.what} {done}/{total}"
        self._write(text)
        self.width = len(text)

    def close(self) -> None:
        self._write("")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{text:<{self.width}}\r{text}")
        sys.stderr.flush()
