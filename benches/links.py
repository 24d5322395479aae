"""How well links of a graph are predicted, over seeds, beside scores in closed form.

    LOWRANK_DATA=FOLDER LOWRANK_PROGRAM=PROGRAM python3 benches/links.py [--seeds 1,2,3,4,5] [--set KEY=VALUE …]

PROGRAM is the built program; scikit-learn is needed. Each seed holds out another tenth of the edges of yeast-ppi and draws as
many pairs that are none. The model is that of configs/recipes/links.toml. ROC-AUC and average precision of L3 are computed here
once more, by dense matrices and scikit-learn on the pairs that the program has written down, and have to agree with what it says;
functions of proteins are told by the ten nearest.
"""

import argparse
import csv
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

RECIPE = Path(__file__).resolve().parent.parent / "configs" / "recipes" / "links.toml"
DATA = Path(os.environ["LOWRANK_DATA"]) / "yeast-ppi"


def call(*arguments):
    program = os.environ["LOWRANK_PROGRAM"]
    return json.loads(subprocess.run([program, *map(str, arguments), "--json"], check=True, capture_output=True).stdout)


def paths_of_three(run):
    """ROC-AUC and average precision of L3 on the test pairs, from the edges that are not held out."""
    edges = {tuple(sorted(line.split()[:2])) for line in (DATA / "edges.tsv").read_text().splitlines()[1:]}
    edges = {edge for edge in edges if edge[0] != edge[1]}
    with (run / "held-out-links.csv").open() as file:
        held_out = [(row["part"], tuple(sorted((row["node"], row["neighbour"]))), row["weight"] != "0")
                    for row in csv.DictReader(file)]
    test = [(pair, is_edge) for part, pair, is_edge in held_out if part == "test"]
    # The model was retrained on validation edges.
    known = edges - {pair for pair, _ in test}
    nodes = {node: at for at, node in enumerate(sorted({node for edge in edges for node in edge}))}
    adjacency = np.zeros((len(nodes), len(nodes)))
    for one, other in known:
        adjacency[nodes[one], nodes[other]] = adjacency[nodes[other], nodes[one]] = 1
    roots = np.sqrt(np.maximum(adjacency.sum(0), 1))
    scaled = adjacency / roots
    scores = scaled @ adjacency @ scaled.T
    # Of a pair that is joined none of its own steps counts; test pairs are not.
    found = [scores[nodes[one], nodes[other]] for (one, other), _ in test]
    truth = [is_edge for _, is_edge in test]
    return roc_auc_score(truth, found), average_precision_score(truth, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1,2,3,4,5", type=lambda text: [int(seed) for seed in text.split(",")])
    parser.add_argument("--set", dest="settings", action="append", default=[])
    arguments = parser.parse_args()
    found, classes = {}, []
    for seed in arguments.seeds:
        with tempfile.TemporaryDirectory() as folder:
            settings = [f"data.path={DATA / 'edges.tsv'}", f"seed={seed}", f"run.dir={folder}", "report.tensorboard=false"]
            settings += arguments.settings
            summary = call("train", RECIPE, "--quiet", *(part for value in settings for part in ("--set", value)))
            run = Path(folder) / "links-1"
            scores = {"model": summary["test"], **{of["name"]: of["scores"] for of in summary["baselines"]["links"]}}
            for name, values in scores.items():
                found.setdefault(name, []).append((values["roc-auc"], values["average-precision"]))
            expected = paths_of_three(run)
            assert np.allclose(found["paths of length 3 (L3)"][-1], expected, atol=2e-4), (found, expected)
            classes.append(call("evaluate", run, "--classes", DATA / "vertices.tsv", "--class-columns", "id,-,class"))
    print(f"{'':28}  ROC-AUC  average precision")
    for name, values in found.items():
        values = np.array(values)
        print(f"{name:28}  {values[:, 0].mean():.4f} ± {values[:, 0].std():.4f}  "
              f"{values[:, 1].mean():.4f} ± {values[:, 1].std():.4f}")
    mean = {name: np.mean([of[name] for of in classes]) for name in ("accuracy", "majority", "chance")}
    print(f"function of a protein, by its ten nearest {mean['accuracy']:.4f}, the most frequent function "
          f"{mean['majority']:.4f}, chance {mean['chance']:.4f}")


if __name__ == "__main__":
    main()
