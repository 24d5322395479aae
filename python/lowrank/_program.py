"""Finding the program and running it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROGRAM_VARIABLE = "LOWRANK_PROGRAM"
"""Environment variable that names another program than the installed one."""

_NAMES = ("lowrank", "lowrank.exe")


class LowrankError(Exception):
    """What the program reports, or would report, about a call."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        """As documented by `lowrank --help`: 1 failed, 2 wrong usage, config, data or files, 3 training diverged."""


def find_program() -> Path:
    """The program that is run: `$LOWRANK_PROGRAM`, else the one that was installed with this package, else on `PATH`.

    Raises:
        LowrankError: There is none.
    """
    named = os.environ.get(PROGRAM_VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise LowrankError(f"{PROGRAM_VARIABLE}={named}: there is no such program")
        return Path(found)
    for path in _installed():
        if path.is_file():
            return path
    found = shutil.which("lowrank")
    if found is None:
        raise LowrankError(
            "the program lowrank is neither installed with this package nor on PATH; "
            f"install the wheel with pip, or name the program in {PROGRAM_VARIABLE}"
        )
    return Path(found)


def _installed() -> list[Path]:
    """Where pip put the program, whichever folder it installed into."""
    try:
        files = importlib.metadata.files("lowrank") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [Path(os.path.normpath(str(file.locate()))) for file in files if file.name in _NAMES]


def run_program(arguments: Sequence[str], *, quiet: bool = True) -> str:
    """Runs the program and returns its standard output; unless `quiet`, progress goes to standard error.

    The first interrupt (Ctrl-C) reaches the program once, so that it can write a checkpoint, and a second one ends it.

    Raises:
        LowrankError: With the program's message, unless it exits with 0.
        KeyboardInterrupt: After an interrupt, when the program has ended.
    """
    program = find_program()
    interrupted = False
    with tempfile.TemporaryFile() as output:
        # A process group of its own: else a terminal would interrupt the program as well, and ours would be the second.
        process = subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )
        messages: list[str] = []
        with process:
            assert process.stderr is not None
            while True:
                try:
                    for line in process.stderr:
                        messages.append(line)
                        if not quiet:
                            sys.stderr.write(line)
                    process.wait()
                    break
                except KeyboardInterrupt:
                    interrupted = True
                    if os.name == "posix":
                        process.send_signal(signal.SIGINT)
        output.seek(0)
        text = output.read().decode()
    if interrupted:
        raise KeyboardInterrupt("".join(messages).strip())
    if process.returncode != 0:
        raise LowrankError(_error("".join(messages), process.returncode), process.returncode)
    return text


def run_json(arguments: Sequence[str], *, quiet: bool = True) -> Any:
    """Runs a command with `--json` and returns what it prints."""
    command, *others = arguments
    return json.loads(run_program([command, "--json", *others], quiet=quiet))


def _error(messages: str, code: int) -> str:
    """The error among all messages, which is the last of them."""
    _, found, error = ("\n" + messages).rpartition("\nerror: ")
    if found:
        return error.strip()
    return messages.strip() or f"lowrank ended with exit code {code}"
