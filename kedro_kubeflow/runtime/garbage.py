"""No search for garbage while a step's process starts: imports make hundreds of thousands of objects, and hardly any of them is.

Python would look through all that is there again and again, for a seventh of the time that the start takes
(https://docs.python.org/3/library/gc.html).
"""

from __future__ import annotations

import gc


def put_off() -> None:
    """Look for no garbage from now on."""
    gc.disable()


def look_again() -> None:
    """Where it was put off, look for garbage as Python does, but for what is there by now: it stays to the end."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
