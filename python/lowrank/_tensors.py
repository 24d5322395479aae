"""Reading the program's safetensors files: a length, a JSON header, then the elements of all tensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from lowrank._program import LowrankError

_DTYPES = {"F32": "<f4", "U8": "u1", "U32": "<u4", "U64": "<u8"}
_METADATA_KEY = "lowrank"


def read_tensors(path: Path, version: int, mark: str = "") -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The tensors, which cannot be written to, and the program's own header.

    Raises:
        LowrankError: The file is damaged, not the program's, without the header field `mark`, or of another format version.
        OSError: The file cannot be read.
    """
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    try:
        entries = json.loads(data[8:start])
        metadata = entries.pop("__metadata__", {})
        elements = memoryview(data)[start:]
        tensors = {name: _tensor(elements, entry) for name, entry in entries.items()}
        header = json.loads(metadata[_METADATA_KEY]) if _METADATA_KEY in metadata else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LowrankError(f"{path}: is damaged or cut short, or no safetensors file ({error})") from error
    if header is None:
        raise LowrankError(f"{path}: is a safetensors file, but not one that lowrank wrote")
    if mark and mark not in header:
        raise LowrankError(f"{path}: is another file of lowrank's than the one wanted here; name the run directory")
    if header["format_version"] != version:
        raise LowrankError(
            f"{path}: has format version {header['format_version']}, but this package reads version {version}; "
            "use the lowrank that wrote it, or train again"
        )
    return tensors, header


def _tensor(elements: memoryview, entry: dict[str, Any]) -> np.ndarray:
    begin, end = entry["data_offsets"]
    if not 0 <= begin <= end <= len(elements):
        raise ValueError("a tensor ends beyond the file")
    return np.frombuffer(elements[begin:end], dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])


def texts(tensors: dict[str, np.ndarray], name: str) -> list[str] | None:
    """The texts called `name`, which are stored back to back with the places where they end."""
    if f"{name}.text" not in tensors:
        return None
    data = tensors[f"{name}.text"].tobytes()
    ends = tensors[f"{name}.ends"].tolist()
    return [data[start:end].decode() for start, end in zip([0, *ends], ends)]
