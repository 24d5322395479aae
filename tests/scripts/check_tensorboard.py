#!/usr/bin/env python3
"""Reads a run directory, or the folder of a sweep, back with TensorBoard's own reader and checks what it must show.

Usage: check_tensorboard.py RUN_DIR|SWEEP_DIR        (needs: pip install tensorboard)

Prints a line per check and `N passed, M failed`; exits 1 where a check failed.
"""

import json
import math
import struct
import sys
from pathlib import Path

from google.protobuf import text_format
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.util import tensor_util

SCALARS = ["loss/train", "rmse/validation", "loss/validation", "learning_rate"]
SCALAR_PREFIXES = ["gradient_norm/", "parameter_norm/"]
HISTOGRAMS = ["parameters/user_factors", "parameters/item_factors"]
IMAGE = "prediction_vs_truth"
TEXT = "config"


class Run:
    def __init__(self, folder):
        self.folder = folder
        keep_all = {"tensors": 0}
        self.events = EventAccumulator(str(folder), size_guidance=keep_all).Reload()
        self.tags = set(self.events.Tags()["tensors"])

    def tensors(self, tag, plugin):
        """[(step, array)] of `tag`, which must belong to `plugin`."""
        assert tag in self.tags, f"no tag {tag!r}; there are {sorted(self.tags)}"
        found = self.events.SummaryMetadata(tag).plugin_data.plugin_name
        assert found == plugin, f"is of the plugin {found!r}, not {plugin!r}"
        return [(e.step, tensor_util.make_ndarray(e.tensor_proto)) for e in self.events.Tensors(tag)]

    def scalars(self, tag):
        points = [(step, float(value)) for step, value in self.tensors(tag, "scalars")]
        steps = [step for step, _ in points]
        assert len(points) > 1, f"only {len(points)} step"
        assert all(a < b for a, b in zip(steps, steps[1:])), f"steps do not increase: {steps}"
        bad = [point for point in points if not math.isfinite(point[1])]
        assert not bad, f"not finite at (step, value) {bad[:3]}"
        return points


def check_scalar(run, tag):
    points = run.scalars(tag)
    return f"{len(points)} steps up to {points[-1][0]}, last value {points[-1][1]:.6g}"


def check_scalar_prefix(run, prefix):
    tags = sorted(tag for tag in run.tags if tag.startswith(prefix))
    assert tags, f"no tag begins with {prefix!r}; there are {sorted(run.tags)}"
    for tag in tags:
        try:
            run.scalars(tag)
        except AssertionError as e:
            raise AssertionError(f"{tag}: {e}") from None
    return ", ".join(tags)


def check_metrics(run, tag):
    with open(run.folder / "metrics.jsonl", encoding="utf-8") as lines:
        epochs = [json.loads(line) for line in lines]
    wanted = [(e["ratings_seen"], e["validation"]["rmse"]) for e in epochs]
    found = run.scalars(tag)
    steps = [step for step, _ in wanted]
    assert steps == [step for step, _ in found], f"steps {[s for s, _ in found]}, ratings seen {steps}"
    for (step, value), (_, rmse) in zip(found, wanted):
        assert math.isclose(value, rmse, rel_tol=1e-6), f"step {step}: {value} here, {rmse} in metrics.jsonl"
    return f"{len(wanted)} epochs agree"


def check_histogram(run, tag):
    histograms = run.tensors(tag, "histograms")
    counts = []
    for step, buckets in histograms:
        assert buckets.ndim == 2 and buckets.shape[1] == 3, f"step {step}: shape {buckets.shape}"
        left, right, count = buckets.T
        assert (left <= right).all(), f"step {step}: a bucket ends before it begins"
        assert (count >= 0).all() and count.sum() > 0, f"step {step}: counts {count}"
        counts.append(int(count.sum()))
    assert len(set(counts)) == 1, f"the number of values changes: {counts}"
    return f"{len(histograms)} steps of {counts[0]} values, {len(histograms[-1][1])} buckets in the last"


def check_image(run, tag):
    images = run.tensors(tag, "images")
    for step, (width, height, png) in images:
        assert png[:8] == b"\x89PNG\r\n\x1a\n" and png[12:16] == b"IHDR", f"step {step}: not a PNG"
        size = struct.unpack(">II", png[16:24])
        stated = (int(width), int(height))
        assert size == stated and min(size) > 0, f"step {step}: {size} pixels, stated {stated}"
        assert png[-8:-4] == b"IEND", f"step {step}: the PNG is cut off"
    return f"{len(images)} images, the last {size[0]} x {size[1]}"


def check_text(run, tag):
    texts = [text.item().decode() for _, text in run.tensors(tag, "text")]
    assert "[model]" in texts[-1], f"no [model] in {texts[-1][:200]!r}"
    return f"{len(texts[-1])} characters"


def check_projector(run, name):
    config = text_format.Parse((run.folder / name).read_text(encoding="utf-8"), ProjectorConfig())
    assert config.embeddings, "names no table"
    names = [table.tensor_name for table in config.embeddings]
    assert len(set(names)) == len(names), f"names a table twice: {names}"
    shapes = []
    for table in config.embeddings:
        # Lines end at "\n" only, as in the projector: an id may hold other separators.
        values = (run.folder / table.tensor_path).read_text(encoding="utf-8").split("\n")[:-1]
        labels = (run.folder / table.metadata_path).read_text(encoding="utf-8").split("\n")[:-1]
        rows, dimension = table.tensor_shape
        where = f"{table.tensor_name}: stated {rows} x {dimension}"
        assert len(values) == rows, f"{where}, {len(values)} rows in {table.tensor_path}"
        # The first line of labels of more than one column is a header.
        assert len(labels) == rows + 1, f"{where}, {len(labels) - 1} labels in {table.metadata_path}"
        for number, row in enumerate(values, 1):
            columns = [float(value) for value in row.split("\t")]
            assert len(columns) == dimension, f"{where}, {len(columns)} columns in line {number}"
            assert all(map(math.isfinite, columns)), f"{where}, not finite in line {number}"
        width = labels[0].count("\t")
        for number, row in enumerate(labels, 1):
            assert row.count("\t") == width, f"{where}, line {number} of the labels has another number of columns"
        shapes.append(f"{table.tensor_name} {rows} x {dimension}")
    return ", ".join(shapes)


def hparams(run, tag):
    """What the HParams plugin reads of `tag`."""
    metadata = run.events.SummaryMetadata(tag)
    assert metadata.plugin_data.plugin_name == "hparams", f"{tag} is of {metadata.plugin_data.plugin_name!r}"
    return plugin_data_pb2.HParamsPluginData.FromString(metadata.plugin_data.content)


def check_trial(run, trial):
    """A trial's settings, end and metrics against its line in the journal."""
    found = hparams(run, "_hparams_/session_start_info").session_start_info.hparams
    assert found["status"].string_value == trial["status"], f"status {found['status']}, not {trial['status']}"
    names = set(found) - {"status"}
    assert names == set(trial["settings"]), f"settings {sorted(names)}, not {sorted(trial['settings'])}"
    for name, value in trial["settings"].items():
        if isinstance(value, str):
            assert found[name].string_value == value, f"{name} = {found[name]}, not {value}"
        elif isinstance(value, list):
            assert json.loads(found[name].string_value) == value, f"{name} = {found[name]}, not {value}"
        else:
            assert found[name].number_value == value, f"{name} = {found[name]}, not {value}"
    end = hparams(run, "_hparams_/session_end_info").session_end_info.status
    wanted = api_pb2.STATUS_FAILURE if trial["status"] == "failed" else api_pb2.STATUS_SUCCESS
    assert end == wanted, f"ended with {api_pb2.Status.Name(end)}"
    curve = [value for training in trial["trainings"] for value in training["curve"]]
    [metric] = {tag.removesuffix("/best") for tag in run.tags if tag.endswith("/best")} or {None}
    if trial["status"] != "failed":
        [(_, best)] = run.tensors(f"{metric}/best", "scalars")
        assert math.isclose(float(best), trial["metric"], rel_tol=1e-6), f"best {best}, not {trial['metric']}"
        points = [float(value) for _, value in run.tensors(f"{metric}/validation", "scalars")]
        assert len(points) == len(curve), f"{len(points)} epochs, not {len(curve)}"
        assert all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(points, curve)), "another curve"
    return f"{trial['status']}, {len(names)} settings, {len(curve)} epochs"


def sweep_checks(folder):
    with open(folder / "journal.jsonl", encoding="utf-8") as lines:
        trials = [json.loads(line) for line in lines][1:]
    folders = {path.name for path in (folder / "trials").iterdir()}
    assert folders == {f"{trial['trial']:04}" for trial in trials}, f"folders {sorted(folders)} of {len(trials)} trials"
    of_trial = lambda trial: check_trial(Run(folder / "trials" / f"{trial['trial']:04}"), trial)
    return [(f"trial {trial['trial']}", lambda t=trial: of_trial(t)) for trial in trials]


def report(checks):
    """Runs (name, check) pairs."""
    failed = 0
    for name, check in checks:
        try:
            print(f"ok      {name}: {check()}")
        except (AssertionError, LookupError, OSError, TypeError, ValueError, text_format.ParseError) as e:
            failed += 1
            print(f"FAILED  {name}: {e or type(e).__name__}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main(folder):
    if (folder / "journal.jsonl").is_file():
        return report(sweep_checks(folder))
    run = Run(folder)
    checks = [(check_scalar, tag) for tag in SCALARS]
    checks += [(check_scalar_prefix, prefix) for prefix in SCALAR_PREFIXES]
    checks += [(check_metrics, "rmse/validation")]
    checks += [(check_histogram, tag) for tag in HISTOGRAMS]
    checks += [(check_image, IMAGE), (check_text, TEXT), (check_projector, "projector_config.pbtxt")]
    name = lambda check: check.__name__.removeprefix("check_").replace("_", " ")
    return report([(f"{name(check)} {subject}", lambda c=check, s=subject: c(run, s)) for check, subject in checks])


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
