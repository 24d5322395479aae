"""The forms that `lowrank export` writes, read by what they are for."""

import json
import subprocess
from pathlib import Path

import lowrank
import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def exported(run: lowrank.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    for form in ["npy", "csv", "word2vec", "projector", "index"]:
        called = [lowrank.find_program(), "export", run.path, "--to", folder / form, "--form", form]
        subprocess.run(called, check=True, capture_output=True)
    return folder


def test_arrays_of_numpy(run: lowrank.Run, exported: Path) -> None:
    for name, values in run.parameters.items():
        array = np.load(exported / "npy" / f"{name}.npy")
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, values)
    items = pd.read_csv(exported / "npy" / "item.csv", dtype=str, keep_default_na=False)
    assert list(items["id"]) == list(run.items)
    assert dict(zip(items["id"], items["title"]))["naïve"] == "Été"


def test_tables(run: lowrank.Run, exported: Path) -> None:
    table = pd.read_csv(exported / "csv" / "item_factors.csv", index_col="id", keep_default_na=False)
    assert list(table.index) == list(run.items)
    factors = table[[f"factor_{number}" for number in range(1, 4)]].to_numpy(np.float32)
    np.testing.assert_array_equal(factors, run.item_factors.to_numpy())
    np.testing.assert_array_equal(table["bias"].to_numpy(np.float32), run.item_biases.to_numpy())


def test_word_vectors(run: lowrank.Run, exported: Path) -> None:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors.load_word2vec_format(exported / "word2vec" / "user_factors.txt", binary=False)
    assert len(vectors) == len(run.users)
    assert vectors.index_to_key == [id.replace(" ", "_") for id in run.users]
    np.testing.assert_array_equal(vectors.vectors, run.user_factors.to_numpy())


def test_inner_products_are_scores(run: lowrank.Run, exported: Path) -> None:
    folder = exported / "index"
    users, items, offset = (np.load(folder / f"{name}.npy") for name in ["users", "items", "users_offset"])
    assert json.loads((folder / "index.json").read_text())["dimensions"] == users.shape[1] == 4
    scores = users @ items.T + offset[:, None]
    pairs = [(user, item) for user in run.users for item in run.items]
    low, high = run.header["clip"]
    predictions = run.predict(*zip(*pairs)).reshape(scores.shape)
    np.testing.assert_allclose(scores.clip(low, high), predictions, atol=1e-5, rtol=0)


def test_the_projector(run: lowrank.Run, exported: Path) -> None:
    values = np.loadtxt(exported / "projector" / "item_factors.tensor.tsv", delimiter="\t", dtype=np.float32)
    np.testing.assert_array_equal(values, run.item_factors.to_numpy())
    labels = pd.read_csv(exported / "projector" / "item_factors.metadata.tsv", sep="\t", dtype=str)
    assert list(labels["id"]) == list(run.items)
