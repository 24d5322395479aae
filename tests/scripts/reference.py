"""Golden numbers for tests/numerics/golden/, computed by PyTorch in float64.

    pip install torch==2.15.0
    python tests/scripts/reference.py        # prints the constants of its files

Nothing here knows lowrank: the models are written out from their equations, the update rules are torch.optim's, the
losses torch.nn.functional's. All inputs are sines, so that both sides rebuild them without a file.
"""

import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

USERS, ITEMS, RANK, WIDTHS, RATINGS, MEAN = 5, 4, 3, [4, 2], 12, 3.25
LAMBDA = {"user_factors": 0.02, "item_factors": 0.03, "user_biases": 0.04, "item_biases": 0.05, "weights": 0.01}
STEPS = 10


def single(x):
    """Rounded to float32, which is what the other side starts from."""
    return torch.as_tensor(x).float().double()


def wave(amplitude, phase, frequency, count):
    return single([amplitude * math.sin(phase + frequency * j) for j in range(count)])


# 12 of the 20 cells, each once.
CELLS = [7 * j % (USERS * ITEMS) for j in range(RATINGS)]
U = torch.tensor([cell // ITEMS for cell in CELLS])
I = torch.tensor([cell % ITEMS for cell in CELLS])
R = single([3.0 + 2.0 * math.sin(0.5 + 1.3 * j) for j in range(RATINGS)])


def shapes(model):
    """Names and shapes of the trained parameters, in the order of the equation."""
    def layers(first):
        widths = [first] + WIDTHS
        for l, (a, b) in enumerate(zip(widths, widths[1:])):
            yield f"hidden.{l}.weight", (a, b)
            yield f"hidden.{l}.bias", (b,)

    def output(inputs):
        return [("output.weight", (inputs, 1)), ("output.bias", (1,))]

    def pair(prefix=""):
        return [(f"{prefix}user_factors", (USERS, RANK)), (f"{prefix}item_factors", (ITEMS, RANK))]

    return {
        "mf": lambda: pair(),
        "biased-mf": lambda: pair() + [("user_biases", (USERS, 1)), ("item_biases", (ITEMS, 1))],
        "nmf": lambda: pair(),
        "gmf": lambda: pair() + output(RANK),
        "mlp": lambda: pair() + [*layers(2 * RANK)] + output(WIDTHS[-1]),
        "neumf": lambda: pair("gmf_") + pair("mlp_") + [*layers(2 * RANK)] + output(RANK + WIDTHS[-1]),
        "nfm": lambda: shapes("biased-mf") + [*layers(RANK)] + output(WIDTHS[-1]),
        "deepfm": lambda: shapes("biased-mf") + [*layers(2 * RANK)] + output(WIDTHS[-1]),
    }[model]()


def start(model):
    """Parameter n, element j: 0.8 sin(1 + 2.3 n + 0.7 j).

    For nmf 2.4 times its absolute value, from where it falls; biases of hidden layers are 1.5 higher, which opens most
    ReLUs.
    """
    parameters = {}
    for n, (name, shape) in enumerate(shapes(model)):
        values = wave(0.8, 1.0 + 2.3 * n, 0.7, math.prod(shape)).reshape(shape)
        if model == "nmf":
            values = single(2.4 * values.abs())
        if name.startswith("hidden") and name.endswith("bias"):
            values = single(values + 1.5)
        parameters[name] = values.requires_grad_()
    return parameters


def scores(model, p):
    def tower(z):
        for l in range(len(WIDTHS)):
            z = torch.relu(z @ p[f"hidden.{l}.weight"] + p[f"hidden.{l}.bias"])
        return z

    def output(z):
        return MEAN + (z @ p["output.weight"]).squeeze(1) + p["output.bias"]

    def pair(prefix=""):
        return p[f"{prefix}user_factors"][U], p[f"{prefix}item_factors"][I]

    if model in ("mf", "nmf"):
        a, b = pair()
        return (a * b).sum(1)
    if model == "biased-mf":
        a, b = pair()
        return MEAN + p["user_biases"][U, 0] + p["item_biases"][I, 0] + (a * b).sum(1)
    if model == "gmf":
        a, b = pair()
        return output(a * b)
    if model == "mlp":
        return output(tower(torch.cat(pair(), 1)))
    if model in ("nfm", "deepfm"):
        a, b = pair()
        linear = p["user_biases"][U, 0] + p["item_biases"][I, 0]
        if model == "nfm":
            return linear + output(tower(a * b))
        return linear + (a * b).sum(1) + output(tower(torch.cat([a, b], 1)))
    a, b = pair("gmf_")
    return output(torch.cat([a * b, tower(torch.cat(pair("mlp_"), 1))], 1))


def objective(model, p):
    value = F.mse_loss(scores(model, p), R)
    for name, parameter in p.items():
        if name.endswith("weight"):
            value = value + LAMBDA["weights"] * (parameter**2).sum()
        for group, rows in [("user_factors", U), ("item_factors", I), ("user_biases", U), ("item_biases", I)]:
            if name.endswith(group):
                value = value + LAMBDA[group] * (parameter[rows] ** 2).sum(1).mean()
    return value


def adamw(p):
    decayed = [x for name, x in p.items() if "bias" not in name]
    others = [x for name, x in p.items() if "bias" in name]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.05, eps=1e-8)


# Rule: optimizer, limit of each element, limit of the joint norm.
RULES = {
    "adam": (lambda p: torch.optim.Adam(p.values(), lr=0.05, eps=1e-8), None, None),
    "adamw": (adamw, None, None),
    "sgd": (lambda p: torch.optim.SGD(p.values(), lr=0.02), None, None),
    "momentum": (lambda p: torch.optim.SGD(p.values(), lr=0.02, momentum=0.9), None, None),
    "adagrad": (lambda p: torch.optim.Adagrad(p.values(), lr=0.1, eps=1e-10), None, None),
    "clip-value": (lambda p: torch.optim.SGD(p.values(), lr=0.1), 0.05, None),
    "clip-norm": (lambda p: torch.optim.SGD(p.values(), lr=0.1), None, 0.3),
    "clip-both": (lambda p: torch.optim.SGD(p.values(), lr=0.1), 0.05, 0.15),
}


def curve(model, rule):
    """The objective before each step, and after the last."""
    p = start(model)
    make, limit, norm = RULES[rule]
    optimizer = make(p)
    losses, clipped = [], False
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = objective(model, p)
        losses.append(value.item())
        value.backward()
        if limit is not None:
            clipped |= any((x.grad.abs() > limit).any() for x in p.values())
            torch.nn.utils.clip_grad_value_(p.values(), limit)
        if norm is not None:
            clipped |= bool(torch.nn.utils.clip_grad_norm_(p.values(), norm) > norm)
        optimizer.step()
        if model == "nmf":
            with torch.no_grad():
                for x in p.values():
                    x.clamp_(min=0.0)
    assert clipped or (limit is None and norm is None), f"{rule} never clips {model}"
    if model == "nmf" and rule == "adam":
        assert any((x == 0).any() for x in p.values()), "the projection is never at work"
    return losses + [objective(model, p).item()]


def toy():
    """R = [[5, 3], [3, 2], [2, 1], [1, 1]] ≈ W·H with k = 2: MSE before each of ten steps of Adam, rate 0.01."""
    matrix = torch.tensor([[5.0, 3.0], [3.0, 2.0], [2.0, 1.0], [1.0, 1.0]])
    w = wave(0.8, 1.0, 0.7, 8).reshape(4, 2).requires_grad_()
    h_t = wave(0.8, 3.3, 0.7, 4).reshape(2, 2).requires_grad_()
    optimizer = torch.optim.Adam([w, h_t], lr=0.01, eps=1e-8)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.mse_loss(w @ h_t.T, matrix)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return losses


def sparse_curve(model):
    """Ten SparseAdam steps on three ratings each, which leave some rows alone; the objective of all ratings before each
    step and after the last."""
    p = start(model)
    optimizer = torch.optim.SparseAdam(list(p.values()), lr=0.05, eps=1e-8)
    values = [objective(model, p).item()]
    for step in range(STEPS):
        batch = [(3 * step + j) % RATINGS for j in range(3)]
        u, i = U[batch], I[batch]
        rows = {name: F.embedding(u if name.startswith("user") else i, table, sparse=True) for name, table in p.items()}
        score = (rows["user_factors"] * rows["item_factors"]).sum(1)
        if model == "biased-mf":
            score = MEAN + rows["user_biases"][:, 0] + rows["item_biases"][:, 0] + score
        penalty = sum(LAMBDA[name] * (row**2).sum(1) for name, row in rows.items())
        optimizer.zero_grad()
        ((R[batch] - score) ** 2 + penalty).mean().backward()
        optimizer.step()
        values.append(objective(model, p).item())
    return values


# Scores 2 sin(0.3 + 0.9 j); each loss has ratings that it accepts.
def wide(j):
    return 2.5 * math.sin(1.0 + 1.7 * j)


LOSSES = {
    "squared": (wide, lambda s, r: F.mse_loss(s, r, reduction="none")),
    "absolute": (wide, lambda s, r: F.l1_loss(s, r, reduction="none")),
    "huber": (wide, lambda s, r: F.huber_loss(s, r, reduction="none", delta=0.7)),
    "quantile": (wide, lambda s, r: torch.maximum(0.2 * (r - s), (0.2 - 1.0) * (r - s))),
    "logistic": (
        lambda j: 0.5 + 0.5 * math.sin(1.0 + 1.7 * j),
        lambda s, r: F.binary_cross_entropy_with_logits(s, r, reduction="none"),
    ),
    "poisson": (
        lambda j: float(3 * j % 5),
        lambda s, r: F.poisson_nll_loss(s, r, log_input=True, full=False, reduction="none"),
    ),
    "glove": (
        lambda j: float(1 + 3 * j % 5),
        lambda s, r: (r / 3.0).pow(0.75).clamp(max=1.0) * F.mse_loss(s, r.log(), reduction="none"),
    ),
}


def loss_and_gradient(name):
    rating, loss = LOSSES[name]
    s = wave(2.0, 0.3, 0.9, 8).requires_grad_()
    r = single([rating(j) for j in range(8)])
    values = loss(s, r)
    values.sum().backward()
    return values.tolist(), s.grad.tolist()


def checksum(gradient):
    """Two numbers that a wrong element cannot keep: the norm, and Σ_j g_j sin(1 + j)."""
    flat = gradient.flatten()
    return [flat.norm().item(), sum(g * math.sin(1.0 + j) for j, g in enumerate(flat.tolist()))]


def rust(numbers):
    return "[" + ", ".join(f"{x:.9}" if "." in f"{x:.9}" or "e" in f"{x:.9}" else f"{x:.9}.0" for x in numbers) + "]"


def main():
    print("// losses.rs\n\npub const LOSSES: [GoldenLoss; 6] = [")
    for name in LOSSES:
        values, gradients = loss_and_gradient(name)
        print(f'    GoldenLoss {{\n        name: "{name}",')
        print(f"        values: {rust(values)},\n        gradients: {rust(gradients)},\n    }},")
    print("];\n\n// dot_products.rs\n\npub const DOT_PRODUCTS: [GoldenModel; 3] = [")
    print_models(["mf", "biased-mf", "nmf"])
    print(f"];\n\npub const TOY: [f64; {STEPS}] =\n    {rust(toy())};")
    print("\npub const TOUCHED: [(&str, [f64; 11]); 2] = [")
    for model in ["mf", "biased-mf"]:
        print(f'    ("{model}", {rust(sparse_curve(model))}),')
    print("];\n\n// neural.rs\n\npub const NEURAL: [GoldenModel; 3] = [")
    print_models(["gmf", "mlp", "neumf"])
    print("];\n\n// deep.rs\n\npub const DEEP: [GoldenModel; 2] = [")
    print_models(["nfm", "deepfm"])
    print("];")


def print_models(models):
    for model in models:
        p = start(model)
        value = objective(model, p)
        value.backward()
        print(f'    GoldenModel {{\n        name: "{model}",')
        print(f"        scores: {rust(scores(model, p).tolist())},")
        print(f"        objective: {value.item():.9},\n        gradients: &[")
        for name, parameter in p.items():
            assert parameter.grad.norm() > 1e-3, f"{model} does not depend on {name}"
            print(f'            ("{name}", {rust(checksum(parameter.grad))}),')
        print("        ],\n        curves: &[")
        for rule in RULES:
            print(f'            ("{rule}", {rust(curve(model, rule))}),')
        print("        ],\n    },")


main()
