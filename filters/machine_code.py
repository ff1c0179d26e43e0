"""Machine code: compiles the kernels, and keeps what was compiled for the next process.

To compile all kernels takes ten seconds, to load them a tenth of one. numba's own cache on disk is an index and data
files that several processes rewrite, and is known to be torn by that. Here each kernel is one file: written under
another name, moved into place, never changed, and believed only if its SHA-256 is right. Its name holds a digest of all
that the code depends on (the sources of the packages, the versions of the tools, the processor), so nothing is ever
stale. Whatever is wrong with a file, or where none may be kept, the kernel is compiled in memory.

The files are the process's own code: they lie in a folder that only its user may enter.
"""

from __future__ import annotations

import hashlib
import inspect
import pickle
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import llvmlite  # type: ignore[import-untyped]
import numba
import numpy as np
from llvmlite import binding
from numba import njit
from numba.core import serialize
from numba.core.compiler import CompileResult

_DIGEST = hashlib.sha256().digest_size

_folder: Path | None = None
_loaded: list[object] = []
"""What entry points point into."""

# Without numba's runtime, which counts references: no kernel owns an array, and counting would cost more than the
# search of a short text. numba's stubs do not know the option.
called_from_python: Any = partial(cast(Any, njit), _nrt=False)
# Nor what Python would call a function by that only other kernels call: a fifth of the time to compile.
called: Any = called_from_python(no_cpython_wrapper=True, no_cfunc_wrapper=True)
inlined: Any = called_from_python(no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def keep_in(folder: Path) -> None:
    """From now on, keep machine code in this folder, which is made if it is not there.

    Not in one that others own or may enter: what lies there is run.
    """
    global _folder  # one for the process, like the code itself
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = folder / f"{uuid4().hex}.unfinished"
        ours.touch()
        owned = folder.stat().st_uid == ours.stat().st_uid and folder.stat().st_mode & 0o077 == 0
        ours.unlink()
    except OSError:
        owned = False
    _folder = folder if owned else None


def entry_point(function: Callable[..., object], signature: Any) -> Callable[..., Any]:
    """The function as machine code, by its own entry point: numba's dispatcher would cost more than most kernels.

    ``signature`` is a numba signature. What is called trusts its callers to pass these very types.
    """
    dispatcher = called_from_python(function)
    place = None
    if _folder is not None:
        sources = _digest(Path(__file__).parent), _digest(Path(inspect.getfile(function)).parent)
        key = f"{function.__module__}.{function.__qualname__}{signature}{sources}{_environment()}"
        place = _folder / f"{function.__module__}.{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        code = _read(place)
        if code is not None:
            try:
                kept: Any = CompileResult._rebuild(  # type: ignore[no-untyped-call]
                    dispatcher.targetctx, *code
                )
                _loaded.append(kept)
                return cast(Callable[..., Any], kept.entry_point)
            except Exception:  # noqa: S110 - it is numba's own; compiling is always right
                pass
    dispatcher.compile(signature)
    result = next(iter(dispatcher.overloads.values()))
    if place is not None:
        _write(place, result)
    return cast(Callable[..., Any], result.entry_point)


def _read(place: Path) -> Any:
    try:
        content = place.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        return None
    try:
        return pickle.loads(content[_DIGEST:])  # noqa: S301 - written by this user, in a folder of theirs alone
    except Exception:  # by another version of numba, say
        return None


def _write(place: Path, result: Any) -> None:
    unfinished = place.with_name(f"{uuid4().hex}.unfinished")
    try:
        code: bytes = serialize.dumps(result._reduce())  # type: ignore[no-untyped-call]
        unfinished.write_bytes(hashlib.sha256(code).digest() + code)
        unfinished.replace(place)
    except OSError:  # the disk is full, or not ours: the next process compiles again
        unfinished.unlink(missing_ok=True)


@cache
def _digest(package: Path) -> str:
    """Of all sources in a folder: a kernel may call what another module holds."""
    sources = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        sources.update(file.read_bytes())
    return sources.hexdigest()


@cache
def _environment() -> str:
    """The tools, how they are set, and the processor."""
    tools = sys.version, numba.__version__, llvmlite.__version__, np.__version__
    settings = sorted((name, str(value)) for name, value in vars(numba.config).items() if name.isupper())
    return repr((tools, settings, binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()))
