"""Golden numbers for tests/numerics/counts.rs: scores of popularity, item k-NN and EASE, computed by numpy.

    pip install numpy
    python tests/scripts/counts.py        # prints its constants

Nothing here knows lowrank. Who met what follows from remainders, so that both sides rebuild it without a file.
"""

import numpy as np

USERS, ITEMS, NEIGHBOURS = 14, 9, 3

met = np.array([[float((7 * u + 3 * i + u * i // 2) % 6 < 2) for i in range(ITEMS)] for u in range(USERS)])
assert met.sum(0).min() > 0 and met.sum(1).min() > 0


def show(name, scores):
    # The first three users; all of them in the sum of squares.
    print(f"    // {name}\n    [")
    for row in scores[:3]:
        print("        [" + ", ".join(f"{value:.7}" for value in row) + "],")
    print(f"    ],\n    {np.square(scores).sum():.9},")


# Of equally many users the first item is ahead, by less than half a user.
counts = met.sum(0) + (ITEMS - np.arange(ITEMS)) / (2 * ITEMS)
show("popularity", np.tile(counts / USERS, (USERS, 1)))

idf = np.log(ITEMS / (1 + met.sum(1)))
length = met.sum(0)
for name, weights, shrinkage in [("cosine", np.ones(USERS), 0.5), ("tf-idf", idf**2, 0.1), ("bm25", idf**2, None)]:
    dots = met.T @ (weights[:, None] * met)
    if shrinkage is None:
        k1, b = 1.5, 0.6
        scale = (k1 + 1) / (k1 * (1 - b + b * length / length.mean()) + 1)
        similarity = dots * np.outer(scale, scale)
    else:
        norm = np.sqrt(np.diag(dots))
        similarity = dots / (np.outer(norm, norm) + shrinkage)
    np.fill_diagonal(similarity, 0)
    kept = np.zeros_like(similarity)
    for item, row in enumerate(similarity.astype(np.float32)):
        nearest = np.argsort(-row, kind="stable")[:NEIGHBOURS]
        kept[item, nearest] = similarity[item, nearest]
    show(name, met @ kept.T)

for penalty in (4.0, 5 * met.sum() / USERS):
    inverse = np.linalg.inv(met.T @ met + penalty * np.eye(ITEMS))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    show(f"ease, {penalty}", met @ weights)
    print(f"    // loss {np.square(met - met @ weights).mean():.9}, penalty {penalty * np.square(weights).sum() / met.size:.9}")
