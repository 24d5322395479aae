//! What each key changes.

/// What must be different with another value of a key.
pub enum Effect {
    /// The parameters that training found.
    Model,
    /// A number of `summary.json` that is not a time.
    Summary,
    /// Which files the run has, or how long they are.
    Files,
    /// The number of lines on standard error.
    Progress,
    /// It is refused with this message.
    Refused(&'static str),
}
use Effect::{Files, Model, Progress, Refused, Summary};

/// A key, the settings that give it a meaning, a value that is not its default, and what that must change.
pub type Case = (&'static str, &'static [&'static str], &'static str, Effect);

const SYNTHETIC: &[&str] =
    &["data.dataset=synthetic", "data.synthetic.users=30", "data.synthetic.items=20", "data.synthetic.ratings=200"];
/// Ends in divergence, of which only checkpoints are left.
const WILD: &[&str] = &["solver.kind=sgd", "solver.learning_rate=50", "train.epochs=60", "report.tensorboard=false"];
/// Nearly all ratings are 1 and some 100: on the way from their mean to their median the loss falls and the RMSE rises.
const SKEWED: &[&str] = &["data.path=skewed.csv", "loss.kind=absolute", "solver.learning_rate=0.3", "train.epochs=40"];

const MOMENTS: &[&str] = &["data.path=timed.csv", "data.split.kind=global-temporal"];

const TEXTS: &[&str] = &["data.path=texts.txt", "data.format=documents", "data.split.kind=none"];
/// Texts of which every term counts.
const RARE: &[&str] =
    &["data.path=texts.txt", "data.format=documents", "data.split.kind=none", "data.documents.min_documents=1"];

const FOLDER: &[&str] =
    &["data.path=texts", "data.format=documents", "data.documents.max_share=1", "data.split.kind=none"];

/// Texts of which every word counts.
const NEAR: &[&str] = &["data.path=texts.txt", "data.format=co-occurrences", "data.co_occurrences.min_count=1"];
const PPMI: &[&str] = &[
    "data.path=texts.txt",
    "data.format=co-occurrences",
    "data.co_occurrences.min_count=1",
    "data.co_occurrences.values=ppmi",
];
const PURCHASES: &[&str] =
    &["data.path=purchases.csv", "data.format=purchases", "segments.min_orders=2", "segments.pairs=3"];
const EDGES: &[&str] = &["data.path=edges.tsv", "data.format=edges"];

const IMPLICIT: &[&str] = &["model.kind=mf", "solver.kind=als", "solver.feedback=implicit"];

const ITEM_KNN: &[&str] = &["model.kind=item-knn"];
const SLIM: &[&str] = &["model.kind=item-knn", "solver.kind=slim"];
const BM25: &[&str] = &["model.kind=item-knn", "solver.weighting=bm25"];

const SVD: &[&str] = &["model.kind=mf", "solver.kind=svd", "solver.method=randomized", "solver.oversampling=0"];
const GIBBS: &[&str] = &["solver.kind=gibbs", "train.epochs=4"];
const HALS: &[&str] = &["model.kind=nmf", "solver.kind=hals", "train.epochs=5"];
const MULTIPLICATIVE: &[&str] = &["model.kind=nmf", "solver.kind=multiplicative"];

const USERS: &[&str] = &["data.user_features.path=users.csv", "data.user_features.lists=['kinds']"];
const ITEMS: &[&str] = &["data.item_features.path=items.csv", "data.item_features.lists=['kinds']"];
const AGES_OF_USERS: &[&str] = &["data.user_features.path=users.csv", "data.user_features.numbers=['age']"];
const AGES_OF_ITEMS: &[&str] = &["data.item_features.path=items.csv", "data.item_features.numbers=['age']"];

const CONTEXT: &[&str] = &["data.path=columns.csv", "model.kind=fm", "data.context=['tags', 'rates', 'price', 'word']"];
const LISTS: &[&str] =
    &["data.path=columns.csv", "model.kind=fm", "data.context=['tags']", "data.context_columns.lists=['tags']"];
const PRICES: &[&str] =
    &["data.path=columns.csv", "model.kind=fm", "data.context=['price']", "data.context_columns.numbers=['price']"];
const WORDS: &[&str] =
    &["data.path=columns.csv", "model.kind=fm", "data.context=['word']", "data.context_columns.hashed=['word']"];

pub const CASES: &[Case] = &[
    ("name", &[], "other", Files),
    ("seed", &[], "7", Model),
    ("data.dataset", &[], "synthetic", Model),
    ("data.path", &[], "other.csv", Model),
    ("data.format", &["data.path=dense.txt", "data.split.kind=none"], "dense", Summary),
    ("data.delimiter", &["data.path=doubtful.txt", "data.split.kind=none"], "-", Summary),
    ("data.header", &["data.path=words.csv", "data.split.kind=none"], "yes", Refused("seems to name the columns")),
    (
        "data.bad_lines",
        &["data.path=repeated.csv", "data.columns=['user', 'rating', 'item']"],
        "skip",
        Refused("are no ratings"),
    ),
    ("data.columns", &[], "['item', 'user', 'rating']", Model),
    ("data.context", &["data.path=days.csv", "model.kind=fm"], "['day']", Model),
    ("data.context_columns.lists", CONTEXT, "['tags']", Model),
    ("data.context_columns.weighted", CONTEXT, "['rates']", Model),
    ("data.context_columns.separator", LISTS, "-", Model),
    ("data.context_columns.numbers", CONTEXT, "['price']", Model),
    ("data.context_columns.bins", PRICES, "0", Model),
    ("data.context_columns.hashed", CONTEXT, "['word']", Model),
    ("data.context_columns.buckets", WORDS, "2", Model),
    ("data.context_columns.times", &["data.path=columns.csv", "model.kind=fm"], "['hour']", Model),
    (
        "data.context_columns.periods",
        &["data.path=columns.csv", "model.kind=fm", "data.context_columns.times=['period']"],
        "3",
        Model,
    ),
    ("data.field_starts", &["data.path=r.libsvm", "data.format=libsvm"], "[0, 30]", Model),
    ("data.class_column", &["data.path=dense.txt", "data.format=dense", "data.split.kind=none"], "3", Model),
    ("data.missing", &["data.path=dense.txt", "data.format=dense", "data.split.kind=none"], "['2']", Model),
    ("data.array", &["data.path=arrays.npz", "data.format=numpy", "data.split.kind=none"], "other", Model),
    ("data.basket_ids", &["data.path=r.csv", "data.format=baskets", "data.split.kind=none"], "false", Model),
    ("data.skip_lines", &[], "9", Model),
    ("data.duplicates", &["data.path=repeated.csv", "data.split.kind=none"], "mean", Model),
    ("data.time_format", &["data.path=timed.csv"], "%d.%m.%Y", Refused("data.time_format")),
    ("data.binarize", &[], "3", Model),
    ("data.min_user_ratings", &["data.path=timed.csv"], "11", Refused("leave none of 200 ratings")),
    ("data.min_item_ratings", &[], "9", Model),
    ("data.cache", &["data.path=large.csv"], "false", Files),
    ("data.extension", FOLDER, "md", Summary),
    ("data.documents.stop_words", TEXTS, "english", Model),
    ("data.documents.extra_stop_words", TEXTS, "['oak']", Model),
    ("data.documents.max_ngram", RARE, "2", Model),
    ("data.documents.min_documents", TEXTS, "1", Model),
    ("data.documents.max_share", TEXTS, "0.9", Model),
    ("data.documents.max_terms", TEXTS, "2", Model),
    ("data.documents.weighting", TEXTS, "counts", Model),
    (
        "data.co_occurrences.tokens",
        &["data.path=words.csv", "data.format=co-occurrences", "data.co_occurrences.min_count=1"],
        "blanks",
        Refused("no two of its words stand near each other"),
    ),
    ("data.co_occurrences.min_count", NEAR, "2", Model),
    ("data.co_occurrences.max_words", NEAR, "3", Model),
    ("data.co_occurrences.window", NEAR, "1", Model),
    ("data.co_occurrences.symmetric", NEAR, "false", Model),
    ("data.co_occurrences.distance_weights", NEAR, "false", Model),
    ("data.co_occurrences.values", NEAR, "ppmi", Model),
    ("data.co_occurrences.shift", PPMI, "0.5", Model),
    ("data.co_occurrences.smoothing", PPMI, "1", Model),
    ("data.cells", PURCHASES, "quantity", Model),
    ("data.exclude", PURCHASES, "['3']", Model),
    ("segments.by", PURCHASES, "['recency']", Summary),
    ("segments.taste_weight", PURCHASES, "30", Summary),
    ("segments.count", PURCHASES, "7", Summary),
    ("segments.from", PURCHASES, "9", Summary),
    ("segments.to", PURCHASES, "3", Summary),
    ("segments.pairs", PURCHASES, "5", Summary),
    ("segments.communities", PURCHASES, "3", Summary),
    ("segments.min_orders", PURCHASES, "9", Summary),
    ("data.split.non_edges", EDGES, "2", Summary),
    ("data.titles.path", &[], "titles.csv", Files),
    ("data.titles.delimiter", &["data.titles.path=titles.csv"], "|", Refused("titles.csv")),
    ("data.titles.columns", &["data.titles.path=titles.csv"], "['item', '-', 'title']", Files),
    ("data.user_features.path", USERS, "other-users.csv", Model),
    ("data.user_features.delimiter", USERS, "|", Refused("users.csv")),
    ("data.user_features.columns", USERS, "['user', '-', 'kinds']", Model),
    ("data.user_features.categories", USERS, "['more']", Model),
    ("data.user_features.lists", USERS, "['more']", Model),
    ("data.user_features.separator", USERS, "-", Model),
    ("data.user_features.numbers", USERS, "['age']", Model),
    ("data.user_features.years", USERS, "['since']", Model),
    ("data.user_features.bins", AGES_OF_USERS, "0", Model),
    ("data.user_features.identity_dropout", USERS, "0.7", Model),
    ("data.item_features.path", ITEMS, "other-items.csv", Model),
    ("data.item_features.delimiter", ITEMS, "|", Refused("items.csv")),
    ("data.item_features.columns", ITEMS, "['item', '-', 'kinds']", Model),
    ("data.item_features.categories", ITEMS, "['more']", Model),
    ("data.item_features.lists", ITEMS, "['more']", Model),
    ("data.item_features.separator", ITEMS, "-", Model),
    ("data.item_features.numbers", ITEMS, "['age']", Model),
    ("data.item_features.years", ITEMS, "['since']", Model),
    ("data.item_features.bins", AGES_OF_ITEMS, "0", Model),
    ("data.item_features.identity_dropout", ITEMS, "0.7", Model),
    ("data.split.kind", &[], "user-stratified", Model),
    ("data.split.test", &[], "0.3", Model),
    ("data.split.validation", &[], "0.3", Model),
    ("data.split.folds", &["data.split.kind=k-fold"], "3", Model),
    ("data.split.fold", &["data.split.kind=k-fold"], "2", Model),
    ("data.split.train_rows", &["data.path=classes.csv", "data.split.kind=first-of-class"], "2", Model),
    ("data.split.given", &["data.split.kind=new-users"], "0.5", Summary),
    ("data.split.test_from", MOMENTS, "1150", Model),
    ("data.split.validation_from", MOMENTS, "1970-01-01 00:18:40", Model),
    ("data.test_path", &["data.split.kind=files", "data.test_path=r.csv"], "other.csv", Summary),
    ("data.synthetic.users", SYNTHETIC, "31", Model),
    ("data.synthetic.items", SYNTHETIC, "21", Model),
    ("data.synthetic.ratings", SYNTHETIC, "210", Model),
    ("data.synthetic.rank", SYNTHETIC, "1", Model),
    ("data.synthetic.noise", SYNTHETIC, "0.1", Model),
    ("model.kind", &[], "mf", Model),
    ("model.rank", &[], "3", Model),
    ("model.init", &[], "uniform", Model),
    ("model.init_std", &[], "0.2", Model),
    ("model.init_low", &["model.init=uniform"], "-0.5", Model),
    ("model.init_high", &["model.init=uniform"], "0.5", Model),
    ("model.neighbours", ITEM_KNN, "3", Model),
    ("model.layers", &["model.kind=mlp"], "[3]", Model),
    ("model.dropout", &["model.kind=nfm"], "0.5", Model),
    ("model.mlp_rank", &["model.kind=neumf"], "3", Model),
    ("model.draws", GIBBS, "2", Model),
    ("model.asymmetric", &["model.kind=svdpp"], "true", Model),
    ("model.start_from", &[], "['nowhere']", Refused("nowhere: there is no such run")),
    ("model.symmetric", &["data.path=edges.tsv", "data.format=edges", "model.kind=gmf"], "true", Model),
    ("loss.kind", &[], "huber", Model),
    ("loss.x_max", &["loss.kind=glove"], "3", Model),
    ("loss.alpha", &["loss.kind=glove", "loss.x_max=4"], "0.5", Model),
    ("loss.positive_weight", &["loss.kind=logistic", "data.binarize=3"], "5", Model),
    ("loss.delta", &["loss.kind=huber"], "0.5", Model),
    ("loss.level", &["loss.kind=quantile"], "0.9", Model),
    ("loss.negatives", &["loss.kind=bpr"], "2", Model),
    ("evaluation.sampled_candidates", &["evaluation.metrics=['rmse', 'hit-rate@2']"], "3", Summary),
    ("evaluation.candidates", &["evaluation.metrics=['rmse', 'hit-rate@2']"], "candidates.tsv", Summary),
    ("loss.sampler", &["loss.kind=sampled-softmax"], "popularity", Model),
    ("loss.popularity_exponent", &["loss.kind=bpr", "loss.sampler=popularity"], "3", Model),
    ("loss.margin", &["loss.kind=warp"], "1e-7", Model),
    ("solver.kind", &[], "adagrad", Model),
    ("solver.rows", &["solver.batch_size=10"], "all", Model),
    ("solver.rule", &["solver.kind=stratified", "solver.learning_rate=0.01"], "adam", Model),
    ("solver.feedback", &["model.kind=mf", "solver.kind=als"], "implicit", Model),
    ("solver.confidence_alpha", IMPLICIT, "5", Model),
    ("solver.confidence", IMPLICIT, "bm25", Model),
    ("solver.inner", &["solver.kind=als"], "conjugate-gradient", Model),
    ("solver.inner_steps", &["solver.kind=als", "solver.inner=conjugate-gradient"], "1", Model),
    ("solver.method", SVD, "exact", Model),
    ("solver.oversampling", &["model.kind=mf", "solver.kind=svd", "solver.method=randomized"], "0", Model),
    ("solver.sweeps", GIBBS, "2", Model),
    ("solver.burn_in", GIBBS, "3", Model),
    ("solver.fold_in_penalty", &["solver.kind=gibbs", "train.epochs=4", "data.split.kind=new-users"], "99.0", Summary),
    ("solver.power_iterations", SVD, "0", Model),
    ("solver.zeros", HALS, "missing", Model),
    ("solver.divergence", MULTIPLICATIVE, "kullback-leibler", Model),
    ("solver.start", HALS, "model", Model),
    ("solver.tolerance", MULTIPLICATIVE, "0.1", Summary),
    ("solver.weighting", ITEM_KNN, "cosine", Model),
    ("solver.shrinkage", ITEM_KNN, "1", Model),
    ("solver.bm25_k1", BM25, "2", Model),
    ("solver.l1", SLIM, "0.1", Model),
    ("solver.l2", SLIM, "9", Model),
    ("solver.bm25_b", BM25, "0.5", Model),
    ("solver.learning_rate", &[], "0.02", Model),
    ("solver.batch_size", &[], "10", Model),
    ("solver.beta1", &[], "0.5", Model),
    ("solver.beta2", &[], "0.5", Model),
    ("solver.epsilon", &[], "0.1", Model),
    ("solver.initial_accumulator", &["solver.kind=stratified"], "0.1", Model),
    ("solver.momentum", &["solver.kind=sgd"], "0.5", Model),
    ("solver.weight_decay", &["solver.kind=adamw"], "0.5", Model),
    ("solver.clip_norm", &[], "1e-6", Model),
    ("solver.clip_value", &[], "1e-6", Model),
    ("solver.regularization.user_factors", &[], "1", Model),
    ("solver.regularization.item_factors", &[], "1", Model),
    ("solver.regularization.user_l1", HALS, "0.01", Model),
    ("solver.regularization.item_l1", HALS, "0.01", Model),
    ("solver.regularization.user_biases", &[], "1", Model),
    ("solver.regularization.item_biases", &[], "1", Model),
    ("solver.regularization.item_weights", &["model.kind=ease"], "3", Model),
    ("solver.regularization.weights", &["model.kind=gmf"], "1", Model),
    ("solver.regularization.count_exponent", &["solver.kind=als"], "0.5", Model),
    ("solver.schedule.kind", &[], "cosine", Model),
    ("solver.schedule.warmup", &[], "2", Model),
    ("solver.schedule.every", &["solver.schedule.kind=step"], "1", Model),
    ("solver.schedule.factor", &["solver.schedule.kind=exponential"], "0.1", Model),
    ("solver.schedule.final", &["solver.schedule.kind=cosine"], "0.9", Model),
    ("train.device", &[], "abacus", Refused("abacus")),
    ("train.threads", &[], "3", Summary),
    ("train.max_memory", &[], "0.001", Refused("train.max_memory")),
    ("train.epochs", &[], "4", Model),
    ("train.checkpoint_every", WILD, "0", Files),
    ("train.refit", &[], "true", Model),
    ("train.early_stopping.metric", SKEWED, "loss", Summary),
    ("train.early_stopping.patience", &["solver.learning_rate=0.5", "train.epochs=20"], "1", Summary),
    ("train.early_stopping.min_delta", &[], "1000", Model),
    ("evaluation.metrics", &[], "['rmse']", Summary),
    ("evaluation.relevant_from", &["evaluation.metrics=['rmse', 'recall@3']"], "4", Summary),
    ("evaluation.clip", &["solver.learning_rate=0.5"], "false", Summary),
    ("report.tensorboard", &[], "false", Files),
    ("report.every", &[], "3", Progress),
    ("report.histograms_every", &[], "1", Files),
    ("report.projector", &[], "false", Files),
    ("run.dir", &[], "elsewhere", Files),
];
