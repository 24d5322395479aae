"""The Python in the pages of the book runs as it stands there."""

import re
from pathlib import Path

import lowrank
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs/src").rglob("*.md"))]
BLOCKS = {
    page.stem: blocks
    for page in PAGES
    if (blocks := re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL))
}


def test_there_are_pages_with_python() -> None:
    assert "results" in BLOCKS


@pytest.mark.parametrize("page", BLOCKS)
def test_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ratings: pd.DataFrame) -> None:
    monkeypatch.chdir(tmp_path)
    ratings.to_csv("ratings.csv", index=False)
    names: dict[str, object] = {}
    for block in BLOCKS[page]:
        exec(block, names)
    run = names["run"]
    assert isinstance(run, lowrank.Run) and run.path == Path("runs/my-1")
