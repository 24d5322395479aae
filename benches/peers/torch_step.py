"""Milliseconds of one step of biased matrix factorization in PyTorch on the CPU, as JSON.

    python3 benches/peers/torch_step.py --optimizer sparse-adam --users 138000 --items 27000 --batch 65536

The same objective, sizes and uniform indices as the bench `step_touched` of `training.rs`: `nn.Embedding` for factors of
rank 64 and biases, squared error, and the penalty 0.05 (‖p_u‖² + ‖q_i‖²) per rating. `adam` is `torch.optim.Adam(fused=True)`
on dense gradients, `sparse-adam` is `torch.optim.SparseAdam` on those of `nn.Embedding(sparse=True)`.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn

RANK = 64
MEAN = 3.5
LAMBDA = 0.05


class BiasedMf(nn.Module):
    def __init__(self, users, items, sparse):
        super().__init__()
        self.user_factors = nn.Embedding(users, RANK, sparse=sparse)
        self.item_factors = nn.Embedding(items, RANK, sparse=sparse)
        self.user_biases = nn.Embedding(users, 1, sparse=sparse)
        self.item_biases = nn.Embedding(items, 1, sparse=sparse)
        for factors in (self.user_factors, self.item_factors):
            nn.init.normal_(factors.weight, std=0.1)
        for biases in (self.user_biases, self.item_biases):
            nn.init.zeros_(biases.weight)

    def objective(self, users, items, ratings):
        p_u, q_i = self.user_factors(users), self.item_factors(items)
        biases = self.user_biases(users) + self.item_biases(items)
        residual = ratings - (MEAN + biases.squeeze(1) + (p_u * q_i).sum(1))
        penalty = LAMBDA * ((p_u**2).sum(1) + (q_i**2).sum(1))
        return (residual**2 + penalty).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--optimizer", choices=["adam", "sparse-adam"], required=True)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    is_sparse = arguments.optimizer == "sparse-adam"
    model = BiasedMf(arguments.users, arguments.items, is_sparse)
    if is_sparse:
        optimizer = torch.optim.SparseAdam(model.parameters(), lr=0.005)
    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=0.005, fused=True)
    users = torch.randint(arguments.users, (arguments.batch,))
    items = torch.randint(arguments.items, (arguments.batch,))
    ratings = torch.randint(1, 6, (arguments.batch,)).float()

    times = []
    for _ in range(arguments.steps + 2):
        started = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        objective = model.objective(users, items, ratings)
        objective.backward()
        optimizer.step()
        objective.item()
        times.append(1000 * (time.perf_counter() - started))
    print(json.dumps({"torch": torch.__version__, "milliseconds": statistics.median(times[2:])}))


if __name__ == "__main__":
    main()
