"""The README's Python runs as it stands there."""

import re
from pathlib import Path

import lowrank
import pandas as pd
import pytest

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (Path(__file__).parents[2] / "README.md").read_text(), re.MULTILINE | re.DOTALL
)


def test_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ratings: pd.DataFrame) -> None:
    monkeypatch.chdir(tmp_path)
    ratings.to_csv("ratings.csv", index=False)
    (block,) = [block for block in BLOCKS if "lowrank.train" in block]
    names: dict[str, object] = {}
    exec(block, names)
    run = names["run"]
    assert isinstance(run, lowrank.Run) and run.path == Path("runs/my-1")
