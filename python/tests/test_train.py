"""Training by the program, from files, dictionaries and data frames."""

import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import PackagePath, PathDistribution
from pathlib import Path

import lowrank
import pandas as pd
import pytest
from conftest import CONFIG


def model(run: lowrank.Run) -> bytes:
    return (run.path / "model.safetensors").read_bytes()


def test_a_data_frame_trains_as_the_file_does(tmp_path: Path, folder: Path, ratings: pd.DataFrame) -> None:
    keys = {**CONFIG, "run.dir": tmp_path}
    from_file = lowrank.train({**keys, "data.path": folder / "r.csv"})
    from_frame = lowrank.train(keys, interactions=ratings)
    assert model(from_frame) == model(from_file)
    assert (from_file.path, from_frame.path) == (tmp_path / "model-1", tmp_path / "model-2")
    again = lowrank.train(keys, interactions=ratings)
    assert again.config["data"]["path"] == from_frame.config["data"]["path"]
    assert [file.suffix for file in (tmp_path / "interactions").iterdir()] == [".csv"]
    # The ratings stay, so that the resolved config trains the same run again.
    assert model(lowrank.train(from_frame.path / "config.toml")) == model(from_file)
    fewer = lowrank.train(keys, interactions=ratings.head(200))
    assert len(list((tmp_path / "interactions").iterdir())) == 2 and model(fewer) != model(from_file)


def test_a_config_file_with_settings_is_the_same_as_a_dictionary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ratings: pd.DataFrame
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.toml").write_text('model.rank = 5\nrun.dir = "elsewhere"\n')
    settings = {"model": {"rank": 3}, "train": {"epochs": 4, "threads": 1}, "solver.batch_size": 32}
    run = lowrank.train("my.toml", interactions=ratings, settings=settings, device="cpu")
    assert (run.path, run.config["train"]["device"]) == (Path("elsewhere/my-1"), "cpu")
    assert Path("elsewhere/interactions").is_dir()
    assert model(run) == model(lowrank.train(CONFIG, interactions=ratings))
    assert Path("runs/model-1").is_dir()


def test_columns_keep_what_they_mean(tmp_path: Path, ratings: pd.DataFrame) -> None:
    keys = {**CONFIG, "run.dir": tmp_path}
    usual = lowrank.train(keys, interactions=ratings)
    table = ratings.assign(note="a;b\tc::d")[["note", "rating", "item", "user"]]
    table.columns = ["note; a\tb::c\td::e", "value", "movieId", "userId"]
    assert model(lowrank.train(keys, interactions=table)) == model(usual)
    table.columns = ["a", "b", "c", "d"]
    named = {"data.columns": ["-", "rating", "item", "user"]}
    assert model(lowrank.train({**keys, **named}, interactions=table)) == model(usual)
    numbers = ratings.set_axis([0, 1, 2], axis="columns")
    with pytest.raises(ValueError, match="a column called 0; call them user, item"):
        lowrank.train(keys, interactions=numbers)
    with pytest.raises(ValueError, match="a column called '1'"):
        lowrank.train(keys, interactions=numbers.rename(columns=str).rename(columns={"0": "user"}))
    holes = ratings.astype({"rating": object})
    holes.loc[7, "rating"] = None
    with pytest.raises(ValueError, match="no rating in row 7"):
        lowrank.train(keys, interactions=holes)


def test_errors_are_the_programs(tmp_path: Path, ratings: pd.DataFrame) -> None:
    with pytest.raises(lowrank.LowrankError) as caught:
        lowrank.train({"model": {"rnak": 3, "kind": "foo"}, "run.dir": tmp_path}, interactions=ratings)
    assert caught.value.exit_code == 2
    first, second = str(caught.value).splitlines()
    assert first.startswith('--set model.rnak=3: unknown key "rnak" in [model]; did you mean "rank"')
    assert 'model.kind must be one of "mf"' in second
    with pytest.raises(lowrank.LowrankError, match="^none.toml: cannot open"):
        lowrank.train("none.toml", quiet=False)
    with pytest.raises(TypeError, match="a config key cannot be None"):
        lowrank.train({"model.rank": None})
    diverges = {**CONFIG, "solver": {"kind": "sgd", "learning_rate": 900.0}, "run.dir": tmp_path}
    with pytest.raises(lowrank.LowrankError) as caught:
        lowrank.train(diverges, interactions=ratings, quiet=False)
    assert caught.value.exit_code == 3, str(caught.value)
    assert not str(caught.value).startswith("error") and "epoch" in str(caught.value)


def test_progress_is_shown_on_request(tmp_path: Path, ratings: pd.DataFrame, capsys: pytest.CaptureFixture) -> None:
    keys = {**CONFIG, "run.dir": tmp_path}
    lowrank.train(keys, interactions=ratings)
    assert capsys.readouterr() == ("", "")
    lowrank.train(keys, interactions=ratings, quiet=False)
    assert "epoch 4/4" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupt_leaves_a_checkpoint_to_go_on_from(tmp_path: Path, ratings: pd.DataFrame) -> None:
    ratings.to_csv(tmp_path / "r.csv", index=False)
    keys = {**CONFIG, "train.epochs": 3000, "data.path": "r.csv", "report.tensorboard": False}
    script = f"import lowrank\ntry:\n    lowrank.train({keys})\nexcept KeyboardInterrupt as stop:\n    print(stop)"
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    metrics = tmp_path / "runs/model-1/metrics.jsonl"
    deadline = time.monotonic() + 60
    while not metrics.is_file() and time.monotonic() < deadline:
        time.sleep(0.01)
    # As a terminal does it: to all of the process group.
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert "interrupted: writing a checkpoint" in output and "--resume" in output
    assert (tmp_path / "runs/model-1/checkpoints/last.safetensors").is_file()
    assert not (tmp_path / "runs/model-1/model.safetensors").exists()


def test_the_program_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = lowrank.find_program()
    monkeypatch.setenv("LOWRANK_PROGRAM", str(real))
    assert lowrank.find_program() == real
    monkeypatch.setenv("LOWRANK_PROGRAM", str(tmp_path / "none"))
    with pytest.raises(lowrank.LowrankError, match=re.escape(f"LOWRANK_PROGRAM={tmp_path}/none: there is no such")):
        lowrank.find_program()
    monkeypatch.delenv("LOWRANK_PROGRAM")
    monkeypatch.setattr("importlib.metadata.files", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(lowrank.LowrankError, match="neither installed with this package nor on PATH"):
        lowrank.find_program()
    on_path, installed = tmp_path / "lowrank", tmp_path / "bin" / "lowrank"
    on_path.symlink_to(real)
    assert lowrank.find_program() == on_path
    # As pip records it, below the folder of packages.
    recorded = PackagePath("../packages/../bin/lowrank")
    recorded.dist = PathDistribution(tmp_path / "packages" / "lowrank-1.dist-info")
    monkeypatch.setattr("importlib.metadata.files", lambda _: [PackagePath("lowrank/__init__.py"), recorded])
    assert lowrank.find_program() == on_path, "the recorded one is not there"
    installed.parent.mkdir()
    installed.symlink_to(real)
    assert lowrank.find_program() == installed


def test_new_users_are_taken_in(folder: Path, ratings: pd.DataFrame, tmp_path: Path) -> None:
    run = lowrank.train(CONFIG, ratings, settings={"run.dir": folder / "folded", "data.split.kind": "none"})
    new = pd.DataFrame({"user": ["new", "new", "Zoë"], "item": ["i1", "-q", "i2"], "rating": [5.0, 1.5, 3.0]})
    grown = lowrank.fold_in(run, new, tmp_path / "grown")
    assert list(grown.users) == [*run.users, "new"]
    assert grown.items.equals(run.items)
    pd.testing.assert_frame_equal(grown.user_factors.loc[run.users], run.user_factors)
    assert {"i1", "-q"}.isdisjoint(grown.recommend("new", len(run.items))["item"])
    with pytest.raises(lowrank.LowrankError, match="no user and no item that the model does not know"):
        lowrank.fold_in(run.path, new[new["user"] == "Zoë"], tmp_path / "none")
