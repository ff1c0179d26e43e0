"""The word lists that a gateway is started with: compiled once on a machine, mapped by every worker."""

from __future__ import annotations

import fcntl
import gc
import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filters import artifact
from filters.artifact import Artifact, ArtifactError
from filters.scanner import Scanner
from gateway.policy.compiling import SHIPPED, Rejected, compile_files
from gateway.warm_start import keep_machine_code


def base_scanner(files: Sequence[str], folder: Path) -> Scanner:
    """The scanner of these lexicon files; none: of the shipped ones. Raises `Rejected`.

    It is compiled in a process of its own, whose memory goes with it, into a file whose name follows from what the
    lists say: who starts later, or again, finds it there. A start is not stopped by samples that are judged otherwise;
    `shieldwire policy check` says which are.
    """
    if not files or list(files) == [SHIPPED]:
        return Scanner.shipped()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{_name(files)}.base"
    with (folder / "base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers start together: one compiles, the others wait for it
        try:
            return Scanner.from_artifact(Artifact.open(file))
        except ArtifactError:
            _compile_apart(files, file)
        for other in folder.glob("*.base"):
            if other != file:
                other.unlink()
    return Scanner.from_artifact(Artifact.open(file))


def _name(files: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{artifact.VERSION} {artifact.tables_digest()}".encode())
    for file in files:
        try:
            content = b"" if file == SHIPPED else Path(file).read_bytes()
        except OSError as error:
            raise Rejected([f"{file}: {error.strerror}"]) from error
        digest.update(hashlib.sha256(file.encode()).digest() + hashlib.sha256(content).digest())
    return digest.hexdigest()[:32]


def _compile_apart(files: Sequence[str], file: Path) -> None:
    command = [sys.executable, "-m", "gateway.policy.base", str(file), *files]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - ourselves, no shell
    if done.returncode:
        raise Rejected(done.stderr.splitlines())


def main(file: str, *files: str) -> int:
    """Compile lexicon files into ``file``; says every fault on standard error."""
    gc.disable()  # this process ends with the file
    keep_machine_code()
    try:
        compile_files(files, accept_flips=True).write(Path(file))
    except Rejected as rejected:
        sys.stderr.write(f"{rejected}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
