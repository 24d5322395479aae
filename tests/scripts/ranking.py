"""Golden numbers for src/metric/ranking/tests.rs: metrics of ranked lists, computed by trec_eval and scikit-learn.

    pip install pytrec-eval-terrier==0.5.11 scikit-learn numpy
    python tests/scripts/ranking.py        # prints its constants

Nothing here knows lowrank. All inputs are sines and remainders, so that both sides rebuild them without a file.
"""

import math

import numpy as np
import pytrec_eval
from sklearn.metrics import ndcg_score, roc_auc_score

USERS, ITEMS = 40, 60


def score(user, item):
    return math.sin(0.7 + 1.3 * user + 2.9 * item)


def seen(user):
    return {item for item in range(ITEMS) if (7 * user + 3 * item + user * item // 7) % 5 == 0}


def relevant(user):
    return {item for item in range(ITEMS) if (5 * user + 11 * item + user * item // 5) % (7 + user % 9) == 0} - seen(user)


users = [user for user in range(USERS) if relevant(user)]
candidates = {user: sorted(set(range(ITEMS)) - seen(user)) for user in users}
qrels = {str(user): {str(item): 1 for item in relevant(user)} for user in users}
run = {str(user): {str(item): score(user, item) for item in candidates[user]} for user in users}
for k in (1, 5, 10):
    measures = {f"ndcg_cut.{k}", f"success.{k}", f"P.{k}", f"recall.{k}", f"map_cut.{k}"}
    by_user = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    mean = lambda name: np.mean([by_user[str(user)][f"{name}_{k}"] for user in users])
    # trec_eval divides by R, where lists of k could have held min(k, R).
    precision = [by_user[str(u)][f"map_cut_{k}"] * len(relevant(u)) / min(k, len(relevant(u))) for u in users]
    cut = {u: dict(sorted(run[str(u)].items(), key=lambda pair: -pair[1])[:k]) for u in users}
    cut_run = {str(user): cut[user] for user in users}
    ranks = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(cut_run)
    rows = [
        ("ndcg", mean("ndcg_cut")),
        ("hit-rate", mean("success")),
        ("precision", mean("P")),
        ("recall", mean("recall")),
        ("map", np.mean(precision)),
        ("mrr", np.mean([ranks[str(user)]["recip_rank"] for user in users])),
    ]
    for name, value in rows:
        print(f'    ("{name}@{k}", {value:.12}),')
    truth = {u: np.array([[i in relevant(u) for i in candidates[u]]], float) for u in users}
    scores = {u: np.array([[score(u, i) for i in candidates[u]]]) for u in users}
    other = np.mean([ndcg_score(truth[u], scores[u], k=k) for u in users])
    assert abs(other - rows[0][1]) < 1e-12, (other, rows[0][1])
auc = np.mean([roc_auc_score(truth[u][0], scores[u][0]) for u in users])
print(f'    ("auc", {auc:.12}),')

# From the definitions, with numpy.
k = 10
lists = {u: [i for i, _ in sorted(((i, score(u, i)) for i in candidates[u]), key=lambda pair: -pair[1])[:k]] for u in users}
met = np.array([[item in seen(user) for item in range(ITEMS)] for user in range(USERS)], float)
times = np.bincount(np.concatenate([lists[u] for u in users]).astype(int), minlength=ITEMS)
print(f'    ("coverage@{k}", {np.mean(times > 0):.12}),')
differences = np.abs(times[:, None] - times[None, :]).mean() / (2 * times.mean())
print(f'    ("gini@{k}", {differences:.12}),')
popularity = np.maximum(met.sum(0), 1) / USERS
print(f'    ("novelty@{k}", {np.mean([-np.log2(popularity[lists[u]]).mean() for u in users]):.12}),')
norms = np.linalg.norm(met, axis=0)
cosine = (met.T @ met) / np.maximum(np.outer(norms, norms), 1e-300)
pairs = np.triu_indices(k, 1)
print(f'    ("diversity@{k}", {np.mean([1 - cosine[np.ix_(lists[u], lists[u])][pairs].mean() for u in users]):.12}),')
