"""Metrics of fixed predictions, without and with sample weights, from their definitions.

scikit-learn has to agree, and so has Keras where it has the metric. Not compared: Keras's AUC, which interpolates between
fixed thresholds; its Precision and Recall of several classes, which compare every probability with a threshold.
"""

from mpmath import cosh, log, log1p, mpf, sqrt
from sklearn import metrics as sk

from common import compare, keras, nearest, np, ron, with_doubles, write

WEIGHTS = [1.0, 0.5, 2.0, 1.0, 0.25, 1.5, 1.0, 3.0, 0.5, 1.0, 0.75, 2.0]
FLAGS = [1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1]
CHANCES = [0.9, 0.4, 0.65, 0.3, 0.1, 0.65, 0.8, 0.55, 0.45, 0.2, 0.4, 0.7]
LABELS = [0, 1, 2, 3, 1, 1, 2, 0, 3, 2, 1, 0]
PROBABILITIES = [
    [0.7, 0.1, 0.15, 0.05], [0.2, 0.5, 0.18, 0.12], [0.1, 0.25, 0.6, 0.05], [0.05, 0.15, 0.48, 0.32],
    [0.45, 0.35, 0.12, 0.08], [0.02, 0.9, 0.05, 0.03], [0.3, 0.29, 0.21, 0.2], [0.55, 0.2, 0.15, 0.1],
    [0.04, 0.06, 0.1, 0.8], [0.17, 0.23, 0.41, 0.19], [0.26, 0.38, 0.22, 0.14], [0.31, 0.09, 0.24, 0.36],
]
TRUTHS = [1.0, 2.5, 0.5, 4.0, 3.0, 1.25, 0.75, 2.0, 5.0, 1.5, 3.5, 0.25]
VALUES = [1.25, 2.0, 0.75, 3.5, 3.0, 1.0, 1.5, 1.75, 4.0, 2.25, 3.75, 0.5]
CLASSES = 4
PREDICTED = [max(range(CLASSES), key=row.__getitem__) for row in PROBABILITIES]


def total(values, weights):
    return sum(w * mpf(v) for v, w in zip(values, weights))


def mean(values, weights):
    return total(values, weights) / sum(weights)


def share(part, whole):
    return part / whole if whole else mpf(0)


def confusion(labels, predicted, weights, classes):
    """Rows are what is true, columns what was predicted."""
    table = [[mpf(0)] * classes for _ in range(classes)]
    for label, guess, weight in zip(labels, predicted, weights):
        table[label][guess] += weight
    return np.array(table)


def flags_table(weights, threshold):
    return confusion(FLAGS, [int(chance > threshold) for chance in CHANCES], weights, 2)


def labels_table(weights):
    return confusion(LABELS, PREDICTED, weights, CLASSES)


def precision(table, positive=1):
    return share(table[positive, positive], table[:, positive].sum())


def recall(table, positive=1):
    return share(table[positive, positive], table[positive].sum())


def f_score(table, beta=1.0, positive=1):
    hits, square = table[positive, positive], mpf(beta) ** 2
    return share((1 + square) * hits, square * table[positive].sum() + table[:, positive].sum())


def averaged(score, weights, average, **options):
    """Macro: the mean over the classes; weighted: by how many of a class there are; micro: of all decisions together."""
    table = labels_table(weights)
    if average == "Micro":
        return table.trace() / table.sum()
    scores = [score(table, positive=label, **options) for label in range(CLASSES)]
    return mean(scores, [mpf(1)] * CLASSES if average == "Macro" else table.sum(axis=1))


def top_k(weights, k=5):
    """Right if fewer than k probabilities are above that of the true class."""
    return mean([sum(p > row[label] for p in row) < k for row, label in zip(PROBABILITIES, LABELS)], weights)


def roc_auc(weights):
    """The chance that a positive sample's score is above a negative one's, and half that they are equal: no thresholds."""
    samples = list(zip(FLAGS, CHANCES, weights))
    won = pairs = mpf(0)
    for flag, above, weight in samples:
        for other, below, other_weight in samples:
            if flag == 1 and other == 0:
                pairs += weight * other_weight
                won += weight * other_weight * (mpf(above > below) + mpf(above == below) / 2)
    return won / pairs


def average_precision(weights):
    """Sum of (recall - recall before) times precision over the scores from the top: steps, no interpolation."""
    area = before = mpf(0)
    for threshold in sorted(set(CHANCES), reverse=True):
        table = confusion(FLAGS, [int(chance >= threshold) for chance in CHANCES], weights, 2)
        area += (recall(table) - before) * precision(table)
        before = recall(table)
    return area


def cohen_kappa(weights):
    table = labels_table(weights)
    chance = (table.sum(axis=0) * table.sum(axis=1)).sum() / table.sum() ** 2
    return (table.trace() / table.sum() - chance) / (1 - chance)


def matthews(weights):
    """Gorodkin, Comput. Biol. Chem. 28 (2004), equation 8: for any number of classes."""
    table = labels_table(weights)
    rows, columns, count = table.sum(axis=1), table.sum(axis=0), table.sum()
    top = table.trace() * count - (rows * columns).sum()
    return top / sqrt((count**2 - (columns**2).sum()) * (count**2 - (rows**2).sum()))


def mean_iou(weights):
    table = labels_table(weights)
    ious = [table[c, c] / (table[c].sum() + table[:, c].sum() - table[c, c]) for c in range(CLASSES)]
    return sum(ious) / CLASSES


def calibration_error(weights, bins=15):
    """Guo and others, arXiv:1706.04599, equation 3: bins ((b - 1)/bins, b/bins] of the highest probability."""
    error = mpf(0)
    for b in range(bins):
        inside = [i for i, row in enumerate(PROBABILITIES) if mpf(b) / bins < mpf(max(row)) <= mpf(b + 1) / bins]
        right = sum(weights[i] for i in inside if PREDICTED[i] == LABELS[i])
        error += abs(right - sum(weights[i] * mpf(max(PROBABILITIES[i])) for i in inside))
    return error / sum(weights)


def errors(function):
    return lambda weights: mean([function(mpf(t), mpf(y)) for t, y in zip(TRUTHS, VALUES)], weights)


def r2(weights):
    middle = mean(TRUTHS, weights)
    left = total([(mpf(t) - mpf(y)) ** 2 for t, y in zip(TRUTHS, VALUES)], weights)
    return 1 - left / total([(mpf(t) - middle) ** 2 for t in TRUTHS], weights)


squared = errors(lambda t, y: (t - y) ** 2)


def cosine(weights):
    """Of the four samples of three values that the twelve make; weighted with the first four weights."""
    values = []
    for sample in range(4):
        t, y = ([mpf(v) for v in column[3 * sample : 3 * sample + 3]] for column in (TRUTHS, VALUES))
        values.append(sum(a * b for a, b in zip(t, y)) / sqrt(sum(a * a for a in t) * sum(b * b for b in y)))
    return mean(values, weights[:4])


def binary(threshold):
    return [int(chance > threshold) for chance in CHANCES]


def on_flags(score, threshold=0.5, **options):
    return lambda w: score(FLAGS, binary(threshold), sample_weight=w, **options)


def on_labels(score, **options):
    return lambda w: score(LABELS, PREDICTED, sample_weight=w, **options)


def on_values(score):
    return lambda w: score(TRUTHS, VALUES, sample_weight=w)


def accuracy(table):
    return table.trace() / table.sum()


# Data, description, arguments, definition, the same in scikit-learn where it is there.
CASES = [
    ("binary", "BinaryAccuracy", {}, lambda w: accuracy(flags_table(w, 0.5)), on_flags(sk.accuracy_score)),
    (
        "binary", "BinaryAccuracy", {"threshold": 0.4}, lambda w: accuracy(flags_table(w, 0.4)),
        on_flags(sk.accuracy_score, 0.4),
    ),
    ("binary", "Precision", {}, lambda w: precision(flags_table(w, 0.5)), on_flags(sk.precision_score)),
    (
        "binary", "Precision", {"threshold": 0.4}, lambda w: precision(flags_table(w, 0.4)),
        on_flags(sk.precision_score, 0.4),
    ),
    ("binary", "Recall", {}, lambda w: recall(flags_table(w, 0.5)), on_flags(sk.recall_score)),
    ("binary", "Recall", {"threshold": 0.4}, lambda w: recall(flags_table(w, 0.4)), on_flags(sk.recall_score, 0.4)),
    ("binary", "F1Score", {}, lambda w: f_score(flags_table(w, 0.5)), on_flags(sk.f1_score)),
    ("binary", "FBetaScore", {"beta": 2.0}, lambda w: f_score(flags_table(w, 0.5), 2), on_flags(sk.fbeta_score, beta=2)),
    ("binary", "Auc", {}, roc_auc, lambda w: sk.roc_auc_score(FLAGS, CHANCES, sample_weight=w)),
    (
        "binary", "Auc", {"curve": "Pr"}, average_precision,
        lambda w: sk.average_precision_score(FLAGS, CHANCES, sample_weight=w),
    ),
    ("classes", "CategoricalAccuracy", {}, lambda w: accuracy(labels_table(w)), on_labels(sk.accuracy_score)),
    ("classes", "SparseCategoricalAccuracy", {}, lambda w: accuracy(labels_table(w)), on_labels(sk.accuracy_score)),
    *(
        ("classes", "TopKCategoricalAccuracy", {"k": k}, lambda w, k=k: top_k(w, k),
         lambda w, k=k: sk.top_k_accuracy_score(LABELS, PROBABILITIES, k=k, sample_weight=w))
        for k in (1, 2, 3)
    ),
    *(
        ("classes", name, {**options, "average": average}, lambda w, a=average, s=score, o=options: averaged(s, w, a, **o),
         on_labels(reference, average=average.lower(), **options))
        for name, options, score, reference in (
            ("Precision", {}, precision, sk.precision_score), ("Recall", {}, recall, sk.recall_score),
            ("F1Score", {}, f_score, sk.f1_score), ("FBetaScore", {"beta": 0.5}, f_score, sk.fbeta_score),
        )
        for average in ("Micro", "Macro", "Weighted")
    ),
    ("classes", "ConfusionMatrix", {}, labels_table, on_labels(sk.confusion_matrix)),
    ("classes", "CohenKappa", {}, cohen_kappa, on_labels(sk.cohen_kappa_score)),
    ("classes", "MatthewsCorrelation", {}, matthews, on_labels(sk.matthews_corrcoef)),
    ("classes", "MeanIoU", {}, mean_iou, on_labels(sk.jaccard_score, average="macro")),
    ("classes", "ExpectedCalibrationError", {}, calibration_error, None),
    ("classes", "ExpectedCalibrationError", {"bins": 4}, lambda w: calibration_error(w, 4), None),
    ("regression", "R2Score", {}, r2, on_values(sk.r2_score)),
    ("regression", "MeanSquaredError", {}, squared, on_values(sk.mean_squared_error)),
    ("regression", "RootMeanSquaredError", {}, lambda w: sqrt(squared(w)), on_values(sk.root_mean_squared_error)),
    ("regression", "MeanAbsoluteError", {}, errors(lambda t, y: abs(t - y)), on_values(sk.mean_absolute_error)),
    (
        "regression", "MeanAbsolutePercentageError", {}, errors(lambda t, y: 100 * abs(t - y) / t),
        lambda w: 100 * sk.mean_absolute_percentage_error(TRUTHS, VALUES, sample_weight=w),
    ),
    (
        "regression", "MeanSquaredLogarithmicError", {}, errors(lambda t, y: (log1p(t) - log1p(y)) ** 2),
        on_values(sk.mean_squared_log_error),
    ),
    ("regression", "LogCosh", {}, errors(lambda t, y: log(cosh(t - y))), None),
    ("triples", "CosineSimilarity", {}, cosine, None),
]


ONE_HOT = np.eye(CLASSES)[LABELS]
# F-scores add 1e-7 to what they divide by, twice.
F_SCORE = "1e-7 is added to the divisors", 1e-6
MEAN_IOU = "the shares are taken in 32 bits, with 1e-7 added to the divisors", 1e-7


def in_top_k(targets, outputs, k):
    """TensorFlow ranks single precision only; the hits are exact in both."""
    targets, outputs = (keras.ops.cast(values, "float32") for values in (targets, outputs))
    return keras.ops.cast(keras.metrics.top_k_categorical_accuracy(targets, outputs, k), "float64")


def in_keras(data, name, arguments):
    """The metric, its targets and outputs, and why it differs; nothing where Keras has no metric of this definition."""
    kind = getattr(keras.metrics, name, None)
    flags, chances = np.array(FLAGS).reshape(-1, 1), np.array(CHANCES).reshape(-1, 1)
    several = "average" in arguments
    if kind is None or name == "Auc" or (several and name in ("Precision", "Recall")):
        return None
    if name in ("Precision", "Recall"):
        return kind(thresholds=arguments.get("threshold", 0.5)), flags, chances, None
    if name in ("F1Score", "FBetaScore"):
        options = {key: value.lower() if isinstance(value, str) else value for key, value in arguments.items()}
        metric = kind(**options) if several else kind(threshold=0.5, average="micro", **options)
        return metric, *((ONE_HOT, np.array(PROBABILITIES)) if several else (flags, chances)), F_SCORE
    if name == "MeanIoU":
        # By itself it counts in whole numbers, which lose the weights' fractions.
        return kind(CLASSES, dtype="float64"), np.array(LABELS), np.array(PREDICTED), MEAN_IOU
    if name == "TopKCategoricalAccuracy":
        return keras.metrics.MeanMetricWrapper(in_top_k, **arguments), ONE_HOT, np.array(PROBABILITIES), None
    if data == "binary":
        return with_doubles(kind, **arguments), flags, chances, None
    if data == "classes":
        targets = np.array(LABELS) if name.startswith("Sparse") else ONE_HOT
        return kind(**arguments), targets, np.array(PROBABILITIES), None
    shape = (4, 3) if data == "triples" else (-1, 1)
    return kind(), np.array(TRUTHS).reshape(shape), np.array(VALUES).reshape(shape), None


def check_keras(what, data, name, arguments, weights, value):
    found = in_keras(data, name, arguments)
    if found is None:
        return
    metric, targets, outputs, loses = found
    metric.update_state(targets, outputs, sample_weight=None if weights is None else np.array(weights[: len(targets)]))
    reason, most = loses or (None, 0)
    found = np.asarray(keras.ops.convert_to_numpy(metric.result()), dtype=float).reshape(())
    compare(f"{what} in Keras", found, value, relative=1e-12, loses=reason, most=most)


def case(data, name, arguments, definition, in_sklearn):
    result = {"description": ron(name, arguments), "data": data}
    for key, weights in (("value", None), ("weighted", WEIGHTS)):
        value = definition([mpf(weight) for weight in weights or [1] * len(WEIGHTS)])
        if in_sklearn is not None:
            compare(f"{key} of {result['description']}", in_sklearn(weights), value, relative=1e-12)
        check_keras(f"{key} of {result['description']}", data, name, arguments, weights, value)
        result[key] = nearest(value)
    return result


ABOUT = {
    "sample_weight": WEIGHTS,
    "binary": {"labels": FLAGS, "outputs": CHANCES, "decision": "positive where the output is above the threshold, 0.5"},
    "classes": {"labels": LABELS, "outputs": PROBABILITIES},
    "regression": {"targets": TRUTHS, "outputs": VALUES},
    "triples": "the data of the regression as 4 samples of 3 values each, with the first 4 sample weights",
    "value": "without weights; a confusion matrix has a row for each true class",
    "weighted": "with the sample weights",
}


def generate():
    write("metrics", ABOUT, [case(*described) for described in CASES])


if __name__ == "__main__":
    generate()
