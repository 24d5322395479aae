"""What a run gives, against what the program prints about it."""

from pathlib import Path

import lowrank
import numpy as np
import pandas as pd
import pytest
from conftest import CONFIG, prints


def test_predictions_are_factors_and_biases(run: lowrank.Run) -> None:
    pairs = [(user, item) for user in run.users for item in run.items]
    printed = prints("predict", run.path, "--", *(id for pair in pairs for id in pair))
    scores = run.user_factors.to_numpy() @ run.item_factors.to_numpy().T
    scores += run.global_mean + run.user_biases.to_numpy()[:, None] + run.item_biases.to_numpy()
    by_hand = scores.ravel().clip(*run.header["clip"])
    expected = np.array([pair["prediction"] for pair in printed])
    assert len(expected) > 300 and np.ptp(expected) > 0.5
    np.testing.assert_allclose(by_hand, expected, atol=1e-5, rtol=0)
    np.testing.assert_allclose(run.predict(*zip(*pairs)), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "keys",
    [
        {"model.kind": "mf"},
        {"model.kind": "nmf"},
        {"loss.kind": "poisson"},
        {"loss.kind": "glove", "loss.x_max": 4.0},
        {"loss.kind": "logistic", "data.binarize": 3.0},
        {"loss.kind": "logistic", "data.binarize": 3.0, "loss.positive_weight": 4.0},
        {"model.kind": "mlp", "model.layers": [4]},
        {"solver.kind": "als"},
    ],
    ids=str,
)
def test_every_kind_of_model_predicts_and_recommends_as_the_program_does(folder: Path, keys: dict[str, object]) -> None:
    config = {"data.path": folder / "r.csv", "train.threads": 1, "train.epochs": 2, "model.rank": 3, **keys}
    run = lowrank.train({**config, "run.dir": folder / "kinds"})
    users, items = ["0", "-3", "nobody", "x,y", "nobody"], ["i1", "-q", "i1", "nothing", "nothing"]
    printed = prints("predict", run.path, "--", *(id for pair in zip(users, items) for id in pair))
    assert [pair["unknown"] for pair in printed] == [False, False, True, True, True]
    np.testing.assert_allclose(run.predict(users, items), [pair["prediction"] for pair in printed], atol=1e-5, rtol=0)
    check_recommendations(run, ["0", "-3", "x,y"], 5)


def test_rows_have_those_of_their_features(folder: Path) -> None:
    features = folder / "features.csv"
    lines = ["item,kinds,size", "i1,a|b,3", "i2,b,5", "i3,,4", "-q,a,", "new,a|c|b,3"]
    features.write_text("\n".join(lines) + "\n", encoding="utf-8")
    described = {"path": features, "lists": ["kinds"], "numbers": ["size"], "bins": 0}
    config = {**CONFIG, "data": {"path": folder / "r.csv", "item_features": described}, "run.dir": folder / "features"}
    run = lowrank.train(config)
    assert "new" in run.items and run.parameters["item_factors.kinds"].shape == (2, 3)
    users, items = ["0", "-3", "x,y", "0"], ["i1", "new", "-q", "i0"]
    printed = prints("predict", run.path, "--", *(id for pair in zip(users, items) for id in pair))
    expected = [pair["prediction"] for pair in printed]
    np.testing.assert_allclose(run.predict(users, items), expected, atol=1e-5, rtol=0)
    scores = run.item_factors.loc[items].to_numpy() * run.user_factors.loc[users].to_numpy()
    scores = scores.sum(1) + run.global_mean + run.user_biases[users].to_numpy() + run.item_biases[items].to_numpy()
    np.testing.assert_allclose(scores.clip(*run.header["clip"]), expected, atol=1e-5, rtol=0)
    check_recommendations(run, ["0", "-3", "x,y"], 5)


def check_recommendations(run: lowrank.Run, users: list[str], number: int, **options: bool) -> None:
    found = run.recommend(users, number, **options)
    assert list(found["user"].unique()) == users
    flags = ["--" + name.replace("_", "-") for name, is_given in options.items() if is_given]
    for user, table in found.groupby("user"):
        printed = prints("recommend", f"-n{number}", *flags, "--", run.path, user)["items"]
        assert list(table["item"]) == [item["item"] for item in printed]
        assert list(table["rank"]) == list(range(1, len(printed) + 1))
        np.testing.assert_allclose(table["prediction"], [item["prediction"] for item in printed], atol=1e-5, rtol=0)
        if "title" in table:
            assert table["title"].astype(object).where(table["title"].notna(), None).tolist() == [
                item["title"] for item in printed
            ]


def test_recommendations_are_the_commands(run: lowrank.Run) -> None:
    users = ["0", "Zoë", "-3", 'a "b"']
    check_recommendations(run, users, 3)
    check_recommendations(run, users, 100)
    check_recommendations(run, users, 100, keep_seen=True)
    check_recommendations(run, users, 100, keep_held_out=True)
    everything = run.recommend(run.users, 100, keep_seen=True)
    assert len(everything) == len(run.users) * len(run.items)
    assert run.recommend(0, 2).equals(run.recommend("0", 2))
    assert list(run.recommend("0").columns) == ["user", "rank", "item", "title", "prediction"]
    assert run.recommend([]).empty
    with pytest.raises(lowrank.LowrankError, match='^user "nobody" is not among the 24 users of this model$'):
        run.recommend(["0", "nobody"])


def test_ids_and_titles_come_back(run: lowrank.Run, ratings: pd.DataFrame) -> None:
    assert set(run.users) == set(ratings["user"]) and set(run.items) == set(ratings["item"])
    assert (run.users.name, run.items.name) == ("user", "item")
    assert run.titles is not None
    assert run.titles.dropna().to_dict() == {"i0": "Zero, the film", "i1": 'One "1"', "naïve": "Été"}
    assert run.titles.isna().sum() == len(run.items) - 3
    assert run.user_factors.shape == (24, 3) and run.item_biases.index.equals(run.items)
    assert run.parameters["user_factors"].dtype == np.float32
    assert set(run.parameters) == {"user_factors", "item_factors", "user_biases", "item_biases", "global_mean"}


def test_metrics_summary_and_config_are_those_of_the_run(run: lowrank.Run) -> None:
    assert list(run.metrics.index) == [1, 2, 3, 4]
    assert run.metrics["train.loss"].is_monotonic_decreasing
    best = run.metrics.loc[run.summary["best_epoch"]]
    assert best["validation.rmse"] == run.summary["validation"]["rmse"]
    assert (run.config["model"]["rank"], run.config["name"]) == (3, "biased")
    assert repr(run) == f"<lowrank.Run {str(run.path)!r}: biased-mf, 24 users, 17 items>"


def test_a_model_file_alone_predicts(run: lowrank.Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes((run.path / "model.safetensors").read_bytes())
    alone = lowrank.load(copy)
    assert alone.predict(["0"], ["i0"]) == run.predict(["0"], ["i0"])
    with pytest.warns(UserWarning, match="no seen.safetensors"):
        assert len(alone.recommend("0", 100)) == 17
    with pytest.raises(lowrank.LowrankError, match="there is no metrics.jsonl"):
        alone.metrics


def test_what_is_no_run_is_refused(run: lowrank.Run, tmp_path: Path) -> None:
    def refused(path: Path) -> str:
        with pytest.raises(lowrank.LowrankError) as caught:
            lowrank.load(path)
        return str(caught.value)

    assert "there is no such run directory" in refused(tmp_path / "none")
    assert "has no config.toml" in refused(tmp_path)
    (tmp_path / "config.toml").touch()
    assert f"lowrank train {tmp_path}/config.toml --resume" in refused(tmp_path)
    model = (run.path / "model.safetensors").read_bytes()
    broken = tmp_path / "model.safetensors"
    for content in (b"", b"text", model[:100], model[:-1]):
        broken.write_bytes(content)
        assert "is damaged or cut short" in refused(tmp_path), content[:20]
    assert "another file of lowrank's" in refused(run.path / "seen.safetensors")
    broken.write_bytes(model.replace(b'format_version\\":2', b'format_version\\":9'))
    assert "has format version 9" in refused(tmp_path)
    broken.write_bytes(model.replace(b'"lowrank":', b'"lowrong":'))
    assert "not one that lowrank wrote" in refused(tmp_path)


def test_a_parameter_that_the_model_lacks_is_named(folder: Path) -> None:
    run = lowrank.train({**CONFIG, "model.kind": "mf", "data.path": folder / "r.csv", "run.dir": folder / "lacks"})
    with pytest.raises(AttributeError, match="the model mf has no user_biases; parameters has"):
        run.user_biases
    with pytest.raises(ValueError, match="2 users, but 1 items"):
        run.predict(["0", "1"], ["i1"])
