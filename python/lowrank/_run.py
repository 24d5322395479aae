"""A trained run: its parameters, ids and metrics, predictions and recommendations."""

from __future__ import annotations

import json
import os
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lowrank._program import LowrankError, run_json
from lowrank._tensors import read_tensors, texts

_MODEL_VERSION = 2
_SEEN_VERSION = 2
_DOT_PRODUCTS = ("mf", "biased-mf", "nmf")
_LINKS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "squared": lambda score: score,
    "absolute": lambda score: score,
    "huber": lambda score: score,
    "quantile": lambda score: score,
    "logistic": lambda score: 1.0 / (1.0 + np.exp(-score)),
    "poisson": np.exp,
    "glove": np.exp,
}
_BLOCK = 256
"""Users whose scores of all items are computed at once."""
_PAIRS = 1000
"""Pairs that fit on one command line."""


def load(run: str | os.PathLike[str]) -> Run:
    """Opens a run directory or a `model.safetensors` file.

    Raises:
        LowrankError: It is neither, the run is not finished, or the file is damaged or of another format version.
    """
    path = Path(run)
    if path.is_dir():
        if not (path / "config.toml").is_file():
            raise LowrankError(f"{path}: is not a run directory (it has no config.toml)")
        path /= "model.safetensors"
        if not path.is_file():
            raise LowrankError(
                f"{path.parent}: this run is not finished; "
                f"finish it with: lowrank train {path.parent / 'config.toml'} --resume"
            )
    elif not path.exists():
        raise LowrankError(f"{path}: there is no such run directory or model file")
    return Run(path)


class Run:
    """A trained model and, if it lies in its run directory, all that is known about its training. See `load`."""

    def __init__(self, model: Path) -> None:
        self.path = model.parent
        """The run directory."""
        self._file = model
        self._tensors, self.header = read_tensors(model, _MODEL_VERSION, "model")
        """What the model file says about the model: its kind, loss and their keys, the range of ratings, and so on."""
        self._sums: dict[str, np.ndarray] = {}

    def __repr__(self) -> str:
        users, items = len(self.users), len(self.items)
        return f"<lowrank.Run {str(self.path)!r}: {self.header['model']}, {users} users, {items} items>"

    # What the model is made of.

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Every parameter by its name, as read-only arrays of float32: `user_factors` [users, rank] and so on."""
        others = ("entities.", "bags.", "baseline.")
        return {name: values for name, values in self._tensors.items() if not name.startswith(others)}

    @cached_property
    def users(self) -> pd.Index:
        """Ids of the users that training saw, in the order of the rows of their parameters."""
        return self._ids(0)

    @cached_property
    def items(self) -> pd.Index:
        """Ids of the items that training saw, in the order of the rows of their parameters."""
        return self._ids(1)

    @cached_property
    def titles(self) -> pd.Series | None:
        """Title of each item, missing if it has none; `None` if the run has no titles."""
        found = texts(self._tensors, f"entities.{self._entity(1)}.titles")
        if found is None:
            return None
        return pd.Series([title or None for title in found], index=self.items, name="title")

    @property
    def user_factors(self) -> pd.DataFrame:
        """A row per user, a column per factor; where users have features, with those of these added."""
        return pd.DataFrame(self._sum("user_factors"), index=self.users)

    @property
    def item_factors(self) -> pd.DataFrame:
        """A row per item, a column per factor; where items have features, with those of these added."""
        return pd.DataFrame(self._sum("item_factors"), index=self.items)

    @property
    def user_biases(self) -> pd.Series:
        """Bias of each user; where users have features, with those of these added."""
        return pd.Series(self._sum("user_biases").ravel(), index=self.users, name="bias")

    @property
    def item_biases(self) -> pd.Series:
        """Bias of each item; where items have features, with those of these added."""
        return pd.Series(self._sum("item_biases").ravel(), index=self.items, name="bias")

    @property
    def global_mean(self) -> float:
        """What is added to factors and biases: the mean score of the training ratings."""
        return float(self._parameter("global_mean")[0])

    # What is known about the training.

    @property
    def metrics(self) -> pd.DataFrame:
        """A row per epoch, with columns such as `train.loss` and `validation.rmse`."""
        lines = self._text("metrics.jsonl").splitlines()
        return pd.json_normalize([json.loads(line) for line in lines]).set_index("epoch")

    @property
    def summary(self) -> dict[str, Any]:
        """The result, as in `summary.json`."""
        found: dict[str, Any] = json.loads(self._text("summary.json"))
        return found

    @property
    def config(self) -> dict[str, Any]:
        """The resolved config."""
        return tomllib.loads(self._text("config.toml"))

    # What it predicts.

    def predict(
        self, users: Iterable[object], items: Iterable[object], *, context: Mapping[str, object] | None = None
    ) -> np.ndarray:
        """The predicted rating of each user of the item at the same place.

        As with `lowrank predict`, ids that training never saw are predicted by biases only. `context` names what else a
        rating depends on, for a model that reads it.
        """
        user_ids, item_ids = _texts_of(users), _texts_of(items)
        if len(user_ids) != len(item_ids):
            raise ValueError(f"there are {len(user_ids)} users, but {len(item_ids)} items; pass one item for each user")
        if not self._is_dot_product or context:
            return np.fromiter(self._predicted(user_ids, item_ids, context), np.float64, len(user_ids))
        at_user, at_item = self.users.get_indexer(user_ids), self.items.get_indexer(item_ids)
        known = (at_user >= 0) & (at_item >= 0)
        predictions = np.full(len(user_ids), self.header["global_mean"])
        for at, offsets in ((at_user, "baseline.user_offsets"), (at_item, "baseline.item_offsets")):
            predictions[at >= 0] += self._tensors[offsets][at[at >= 0]]
        factors = [self._sum("user_factors")[at_user[known]], self._sum("item_factors")[at_item[known]]]
        scores = np.einsum("nk,nk->n", *factors, dtype=np.float64)
        if "global_mean" in self._tensors:
            biases = (
                self._sum("user_biases")[at_user[known], 0] + self._sum("item_biases")[at_item[known], 0]
            )
            scores += self.global_mean + biases
        predictions[known] = self._link(scores)
        return self._limited(predictions)

    def recommend(
        self,
        users: object | Iterable[object],
        number: int = 10,
        *,
        keep_seen: bool = False,
        keep_held_out: bool = False,
        context: Mapping[str, object] | None = None,
    ) -> pd.DataFrame:
        """The items that each user would rate highest, best first, without those that the user rated.

        Columns: `user`, `rank` from 1, `item`, `title` if the run has titles, and `prediction`. `users` is an id or
        several; `keep_seen`, `keep_held_out` and `context` mean what `--keep-seen`, `--keep-held-out` and `--context` mean
        for `lowrank recommend`.

        Raises:
            LowrankError: Training never saw one of the users.
        """
        is_one = isinstance(users, str) or not isinstance(users, Iterable)
        ids = _texts_of([users] if is_one else users)  # type: ignore[arg-type]
        indices = self.users.get_indexer(ids)
        for user, index in zip(ids, indices):
            if index < 0:
                raise LowrankError(f"user {json.dumps(user)} is not among the {len(self.users)} users of this model")
        if not keep_seen and self._seen is None:
            warnings.warn(f"{self.path}: there is no seen.safetensors, so items that users rated are not left out")
        if self._is_dot_product and not context:
            lists = list(self._ranked(indices, number, keep_seen, keep_held_out))
        else:
            flags = {"--keep-seen": keep_seen, "--keep-held-out": keep_held_out and not keep_seen}
            options = [flag for flag, is_given in flags.items() if is_given]
            lists = [self._recommended(user, [f"--number={number}", *options], context) for user in ids]
        table = pd.DataFrame(
            {
                "user": np.repeat(np.array(ids, dtype=object), [len(items) for items, _ in lists]),
                "rank": np.concatenate([np.arange(1, len(items) + 1) for items, _ in lists] or [np.empty(0, int)]),
                "item": np.concatenate([items for items, _ in lists] or [np.empty(0, object)]),
                "prediction": np.concatenate([predictions for _, predictions in lists] or [np.empty(0)]),
            }
        ).astype({"user": "str", "item": "str"})
        if self.titles is not None:
            table.insert(3, "title", self.titles.reindex(table["item"]).array)
        return table

    # In numpy, for dot products of factors.

    @property
    def _is_dot_product(self) -> bool:
        is_known = self.header["model"] in _DOT_PRODUCTS and self.header["loss"] in _LINKS
        return is_known and len(self.header["fields"]) == 2

    def _ranked(
        self, users: np.ndarray, number: int, keep_seen: bool, keep_held_out: bool
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Items and predictions for each user."""
        item_factors = self._sum("item_factors").T
        for start in range(0, len(users), _BLOCK):
            block = users[start : start + _BLOCK]
            scores = self._sum("user_factors")[block] @ item_factors
            if "global_mean" in self._tensors:
                biases = self._sum("user_biases")[block] + self._sum("item_biases").T
                scores = self.global_mean + (biases + scores)
            for user, row in zip(block, scores):
                can_be_listed = ~np.isnan(row)
                seen = [] if keep_seen or self._seen is None else self._seen[: 1 if keep_held_out else 2]
                for starts, items in seen:
                    can_be_listed[items[starts[user] : starts[user + 1]]] = False
                candidates = np.flatnonzero(can_be_listed)
                # A stable sort: equal scores stay in the order of the items, as in the program.
                best = candidates[np.argsort(-row[candidates], kind="stable")[: max(number, 0)]]
                predictions = self._limited(self._link(row[best].astype(np.float64)))
                yield self.items.to_numpy(dtype=object)[best], predictions

    def _link(self, scores: np.ndarray) -> np.ndarray:
        # Where positives count several times, scores are higher.
        weight = self.header["values"].get("loss.positive_weight", 1.0)
        with np.errstate(over="ignore"):
            return _LINKS[self.header["loss"]](scores - np.log(weight))

    def _limited(self, predictions: np.ndarray) -> np.ndarray:
        return predictions if self.header["clip"] is None else np.clip(predictions, *self.header["clip"])

    # By the program, for all other models.

    def _predicted(self, users: list[str], items: list[str], context: Mapping[str, object] | None) -> Iterator[float]:
        for start in range(0, len(users), _PAIRS):
            pairs = zip(users[start : start + _PAIRS], items[start : start + _PAIRS])
            options = _context_options(context)
            found = run_json(["predict", *options, "--", str(self._file), *(id for pair in pairs for id in pair)])
            yield from (pair["prediction"] for pair in found)

    def _recommended(
        self, user: str, options: list[str], context: Mapping[str, object] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        found = run_json(["recommend", *options, *_context_options(context), "--", str(self._file), user])["items"]
        items = np.array([item["item"] for item in found], dtype=object)
        return items, np.array([item["prediction"] for item in found], dtype=np.float64)

    # The files.

    @cached_property
    def _seen(self) -> list[tuple[np.ndarray, np.ndarray]] | None:
        """Where the items of each user start, and the indices of all those items: in training, and held out."""
        path = self._file.with_name("seen.safetensors")
        if not path.is_file():
            return None
        tensors, _ = read_tensors(path, _SEEN_VERSION)
        parts = [(tensors[f"{part}starts"].astype(np.int64), tensors[f"{part}items"]) for part in ("", "held_out.")]
        if any(len(starts) != len(self.users) + 1 for starts, _ in parts):
            raise LowrankError(f"{path}: does not belong to this model")
        return parts

    def _entity(self, field: int) -> int:
        return int(self.header["fields"][field]["entity"])

    def _ids(self, field: int) -> pd.Index:
        found = texts(self._tensors, f"entities.{self._entity(field)}.ids")
        return pd.Index(found or [], dtype="str", name=self.header["fields"][field]["name"])

    def _parameter(self, name: str) -> np.ndarray:
        if name not in self._tensors:
            known = ", ".join(self.parameters)
            raise AttributeError(f"the model {self.header['model']} has no {name}; parameters has {known}")
        return self._tensors[name]

    def _sum(self, name: str) -> np.ndarray:
        """A parameter of users or items, each row of which has those of its features added."""
        if name not in self._sums:
            rows = self._parameter(name)
            for at, bag in enumerate(self.header.get("bags", [])):
                of_feature = self._tensors.get(f"{name}.{bag['name']}")
                if bag.get("is_feature") and of_feature is not None:
                    starts = self._tensors[f"bags.{at}.starts"].astype(np.int64)
                    members = of_feature[self._tensors[f"bags.{at}.members"]]
                    weights = self._tensors.get(f"bags.{at}.weights")
                    members = members if weights is None else members * weights[:, None]
                    rows = rows.copy()
                    np.add.at(rows, np.repeat(np.arange(len(rows)), np.diff(starts)), members)
            self._sums[name] = rows
        return self._sums[name]

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise LowrankError(f"{self.path}: there is no {name}; load a run directory") from None


def _texts_of(ids: Iterable[object]) -> list[str]:
    """Ids as files have them."""
    return [str(id) for id in ids]


def _context_options(context: Mapping[str, object] | None) -> list[str]:
    return [f"--context={name}={id}" for name, id in (context or {}).items()]
