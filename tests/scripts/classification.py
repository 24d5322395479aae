"""The numbers in src/metric/classification/tests.rs: python3 tests/scripts/classification.py (needs scikit-learn)."""

import numpy as np
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

at = np.arange(97)
places = (at * at * 7 + at * 3) % 31
predictions = (places + 1) / 33
targets = ((at * 5 + at * at // 3) % 11 < 2 + places // 6).astype(int)
print("log-loss", log_loss(targets, predictions))
print("roc-auc", roc_auc_score(targets, predictions))
print("average-precision", average_precision_score(targets, predictions))

# Ten groups of as many, by prediction; ties at a border in one.
order = np.argsort(-predictions, kind="stable")
ordered, happened = predictions[order], targets[order]
error, start = 0.0, 0
for group in range(1, 11):
    end = max(len(at) * group // 10, start)
    while start < end < len(at) and ordered[end] == ordered[end - 1]:
        end += 1
    error += abs(np.sum(ordered[start:end] - happened[start:end]))
    start = end
print("calibration-error", error / len(at))
