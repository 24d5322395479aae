"""Training: a config, or its keys as a dictionary, and interactions in a file or a data frame."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lowrank._program import run_json
from lowrank._run import Run, load


def train(
    config: str | os.PathLike[str] | Mapping[str, Any],
    interactions: pd.DataFrame | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    device: str | None = None,
    resume: bool = False,
    quiet: bool = True,
) -> Run:
    """Runs `lowrank train` and returns the run.

    Args:
        config: A config file, or its keys: `{"model": {"rank": 8}}` or `{"model.rank": 8}`. Without a key `name`, runs of
            a dictionary are called `model-<n>`.
        interactions: Ratings, with columns called as in the header of a ratings file: `user`, `item` and, if there are
            any, `rating`, `timestamp` and the columns of `data.context`. They are written to
            `<run.dir>/interactions/<hash>.csv` and stay there, since the run's config and its test ratings refer to them.
        settings: Keys that count instead of those of the config, as with `--set`.
        device: `"auto"`, `"cpu"`, `"wgpu"`, …; short for the key `train.device`.
        resume: Go on from the last checkpoint: of the run that the config lies in, or of the newest run of its name.
        quiet: Show no progress.

    Raises:
        LowrankError: With the program's message.
        KeyboardInterrupt: After Ctrl-C, when a checkpoint has been written; `resume` goes on from there.
    """
    keys: dict[str, Any] = {}
    for mapping in (config if isinstance(config, Mapping) else {}, settings or {}):
        keys.update(_leaves(mapping))
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(config, Mapping):
            path = Path(folder, "model.toml")
            path.touch()
        else:
            path = Path(config)
        if interactions is not None:
            keys["data.path"] = str(_write(interactions, _runs_folder(path, keys)))
            keys["data.delimiter"] = ","
        options = [f"--set={key}={_toml(value)}" for key, value in keys.items()]
        options += [f"--device={device}"] if device is not None else []
        options += ["--resume"] if resume else []
        options += ["--quiet"] if quiet else []
        return load(run_json(["train", *options, "--", str(path)], quiet=quiet)["directory"])


def fold_in(run: Run | str | os.PathLike[str], interactions: pd.DataFrame, to: str | os.PathLike[str]) -> Run:
    """Runs `lowrank fold-in`: takes users and items that training never saw into a trained model, and returns that one.

    Args:
        run: The run, or its directory.
        interactions: Their ratings, with columns as for `train`.
        to: The folder to write.

    Raises:
        LowrankError: With the program's message.
    """
    directory = run.path if isinstance(run, Run) else Path(run)
    with tempfile.TemporaryDirectory() as folder:
        file = _write(interactions, Path(folder))
        run_json(["fold-in", f"--to={os.fspath(to)}", "--set=data.delimiter=,", "--", str(directory), str(file)])
    return load(to)


def _write(interactions: pd.DataFrame, runs: Path) -> Path:
    """Writes a ratings file whose name follows from what is in it, so that the same ratings are written once.

    Raises:
        ValueError: A cell is missing, or a column's name would be taken for a rating.
    """
    for name in interactions.columns:
        if not isinstance(name, str) or not re.search(r"[^\W\d]", name):
            raise ValueError(f"interactions has a column called {name!r}; call them user, item, rating and timestamp")
        missing = interactions[name].isna()
        if missing.any():
            where = interactions.index[missing][0]
            raise ValueError(f"interactions has no {name} in row {where!r}; leave out such rows")
    content = interactions.to_csv(index=False, lineterminator="\n").encode()
    path = runs / "interactions" / f"{hashlib.sha256(content).hexdigest()[:16]}.csv"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: a file of this name is never written again.
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(content)
        os.replace(part, path)
    return path


def _runs_folder(config: Path, keys: Mapping[str, Any]) -> Path:
    """The folder of run directories."""
    if "run.dir" in keys:
        return Path(keys["run.dir"])
    try:
        written = dict(_leaves(tomllib.loads(config.read_text(encoding="utf-8"))))
    except (OSError, ValueError):
        # The program says what is wrong with the config.
        written = {}
    return Path(str(written.get("run.dir", "runs")))


def _leaves(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Keys with dots and their values."""
    for name, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _toml(value: Any) -> str:
    """A value as TOML writes it.

    Raises:
        TypeError: No config key has such a value.
    """
    # Numbers of numpy become Python's.
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, (bool, str)):
        # JSON leaves the one control character as it is that TOML does not.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(element) for element in value) + "]"
    raise TypeError(f"a config key cannot be {value!r}; use a string, number, boolean, or a list of those")
