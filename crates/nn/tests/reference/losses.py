"""Losses: each sample's, the batch's, and the gradient of the batch's with respect to the network's outputs."""

from inspect import signature

from mpmath import cosh, log, log1p, mpf, sqrt

from activations import sigmoid, softmax
from common import compare, exact, gradient, keras, nearest, np, ron, write
import tensorflow as tf

EPSILON = mpf(1e-7)


def smooth(targets, label_smoothing):
    """Targets moved towards the even distribution (Szegedy and others, arXiv:1512.00567, section 7)."""
    return targets * (1 - mpf(label_smoothing)) + mpf(label_smoothing) / len(targets)


def smooth_binary(targets, label_smoothing):
    return targets * (1 - mpf(label_smoothing)) + mpf(label_smoothing) / 2


def one_hot(label, classes):
    return exact(np.eye(classes)[label])


def distribution(outputs, from_logits):
    """Probabilities of the classes. Those given as such are divided by their sum, as in Keras."""
    return softmax(outputs) if from_logits else outputs / outputs.sum()


def mean(values):
    return sum(values) / len(values)


def cross_entropy(targets, probabilities):
    """-sum t ln p, without Keras's bounds 1e-7 and 1 - 1e-7 of p."""
    return -sum(t * log(p) for t, p in zip(targets, probabilities) if t != 0)


def categorical_crossentropy(t, y, from_logits=False, label_smoothing=0.0):
    return cross_entropy(smooth(t, label_smoothing), distribution(y, from_logits))


def sparse_categorical_crossentropy(t, y, from_logits=False, ignore_class=None):
    return mpf(0) if t == ignore_class else cross_entropy(one_hot(t, len(y)), distribution(y, from_logits))


def categorical_focal_crossentropy(t, y, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0):
    """-alpha sum t (1 - p)^gamma ln p (Lin and others, arXiv:1708.02002, equation 5)."""
    p = distribution(y, from_logits)
    return -mpf(alpha) * sum(t * (1 - p) ** mpf(gamma) * log(p) for t, p in zip(smooth(t, label_smoothing), p))


def binary_terms(t, y, from_logits, label_smoothing):
    """Target and probability of each output, and its cross-entropy."""
    for t, p in zip(smooth_binary(t, label_smoothing), [sigmoid(y) for y in y] if from_logits else y):
        yield t, p, cross_entropy([t, 1 - t], [p, 1 - p])


def binary_crossentropy(t, y, from_logits=False, label_smoothing=0.0):
    return mean([entropy for _, _, entropy in binary_terms(t, y, from_logits, label_smoothing)])


def binary_focal_crossentropy(
    t, y, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0
):
    """(1 - q)^gamma times the cross-entropy, with q = t p + (1 - t)(1 - p), and with alpha or 1 - alpha if balanced."""
    result = []
    for t, p, entropy in binary_terms(t, y, from_logits, label_smoothing):
        weight = t * mpf(alpha) + (1 - t) * (1 - mpf(alpha)) if apply_class_balancing else 1
        result.append(weight * (1 - t * p - (1 - t) * (1 - p)) ** mpf(gamma) * entropy)
    return mean(result)


def categorical_hinge(t, y):
    """The 0 that the right class leaves is among the values of the wrong ones, as in Keras."""
    return max(max((1 - t) * y) - (t * y).sum() + 1, mpf(0))


def signs(t):
    return 2 * t - 1 if all(value in (0, 1) for value in t) else t


def hinge(t, y):
    return mean([max(1 - t * y, mpf(0)) for t, y in zip(signs(t), y)])


def squared_hinge(t, y):
    return mean([max(1 - t * y, mpf(0)) ** 2 for t, y in zip(signs(t), y)])


def kl_divergence(t, y):
    """sum t ln(t / y), where 0 ln 0 = 0: without Keras's bound 1e-7 of both."""
    return sum(t * log(t / y) for t, y in zip(t, y) if t != 0)


def poisson(t, y):
    return mean([y - t * log(y + EPSILON) for t, y in zip(t, y)])


def mean_squared_error(t, y):
    return mean((y - t) ** 2)


def mean_absolute_error(t, y):
    return mean(abs(y - t))


def mean_absolute_percentage_error(t, y):
    return 100 * mean([abs(t - y) / max(abs(t), EPSILON) for t, y in zip(t, y)])


def mean_squared_logarithmic_error(t, y):
    """Of what is below 0 the 0 is taken; Keras takes 1e-7 of what is below that."""
    return mean([(log1p(max(y, mpf(0))) - log1p(max(t, mpf(0)))) ** 2 for t, y in zip(t, y)])


def huber(t, y, delta=1.0):
    delta = mpf(delta)
    return mean([e * e / 2 if e <= delta else delta * e - delta * delta / 2 for e in abs(y - t)])


def log_cosh(t, y):
    return mean([log(cosh(y - t)) for t, y in zip(t, y)])


def cosine_similarity(t, y):
    return -(t * y).sum() / sqrt((t * t).sum() * (y * y).sum())


def tversky(t, y, alpha=0.5, beta=0.5):
    """1 - TP / (TP + alpha FP + beta FN + 1e-7) (Salehi, Erdogmus and Gholipour, arXiv:1706.05721, equation 3)."""
    hits = (t * y).sum()
    return 1 - hits / (hits + mpf(alpha) * ((1 - t) * y).sum() + mpf(beta) * (t * (1 - y)).sum() + EPSILON)


def dice(t, y):
    return 1 - 2 * (t * y).sum() / (t.sum() + y.sum() + EPSILON)


LOGITS = [[1.5, -0.5, 0.25], [-2.0, 0.75, 0.5], [0.1, 3.0, -1.0]]
FAR_LOGITS = [[40.0, -40.0, 0.0], [-700.0, 700.0, 5.0], [2.0, -30.0, 30.0]]
PROBABILITIES = [[0.7, 0.1, 0.2], [0.25, 0.5, 0.25], [0.05, 0.05, 0.9]]
SMALL_PROBABILITIES = [[1e-12, 1e-9, 0.999999998999], [0.5, 1e-10, 0.4999999999]]
CLASSES = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
MIXED_CLASSES = [[0.5, 0.25, 0.25], [0.0, 0.125, 0.875], [1.0, 0.0, 0.0]]
LABELS = [0, 2, 1]
FLAGS = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
SIGNS = [[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, 1.0, -1.0]]
CHANCES = [[0.9, 0.2, 0.6], [0.3, 0.05, 0.4], [0.75, 0.5, 0.125]]
SMALL_CHANCES = [[1e-12, 1e-10, 0.5], [0.999999999, 1e-9, 0.25]]
VALUES = [[1.5, -0.75, 2.25], [0.5, 3.0, -1.0], [-2.0, 0.125, 0.3]]
TRUTHS = [[1.0, 0.25, 2.0], [0.25, -1.5, -1.125], [-0.5, 0.25, 0.4]]
FAR_VALUES = [[300.0, -700.0, 0.25000001], [20.0, -20.0, 1e-5]]
NEAR_TRUTHS = [[-1.0, 0.5, 0.25], [0.5, 0.25, 0.0]]
POSITIVE_VALUES = [[0.5, 2.25, 1.0], [3.5, 0.125, 0.75], [0.9, 1.1, 4.0]]
POSITIVE_TRUTHS = [[1.0, 2.0, 0.25], [3.0, 0.5, 0.625], [1.5, 1.0, 2.5]]
WEIGHTS = [0.5, 2.0, 0.0]

# Why, and by how much at most, Keras is elsewhere.
CLIPPED = "probabilities are clipped to 1e-7 and 1 - 1e-7", 1
LIFTED = "what is below 1e-7 becomes 1e-7", 1e-5
LN_2 = "ln 2 is rounded to 32 bits, and what is small cancels", 1e-7

# Loss, arguments, targets, outputs; then what is special.
CASES = [
    ("CategoricalCrossentropy", {}, CLASSES, PROBABILITIES),
    ("CategoricalCrossentropy", {}, MIXED_CLASSES, PROBABILITIES),
    ("CategoricalCrossentropy", {}, CLASSES[:2], SMALL_PROBABILITIES, {"loses": CLIPPED}),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, CLASSES, PROBABILITIES),
    ("CategoricalCrossentropy", {"from_logits": True}, CLASSES, LOGITS),
    ("CategoricalCrossentropy", {"from_logits": True}, MIXED_CLASSES, LOGITS),
    ("CategoricalCrossentropy", {"from_logits": True}, CLASSES, FAR_LOGITS),
    ("CategoricalCrossentropy", {"from_logits": True}, CLASSES, LOGITS, {"sample_weight": WEIGHTS}),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, CLASSES, LOGITS),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, CLASSES, FAR_LOGITS),
    ("SparseCategoricalCrossentropy", {}, LABELS, PROBABILITIES),
    ("SparseCategoricalCrossentropy", {}, LABELS[:2], SMALL_PROBABILITIES, {"loses": CLIPPED}),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, LOGITS),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, FAR_LOGITS),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, LOGITS, {"sample_weight": WEIGHTS}),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}, LABELS, LOGITS, {"ignored": [1]}),
    ("CategoricalFocalCrossentropy", {}, CLASSES, PROBABILITIES),
    ("CategoricalFocalCrossentropy", {"alpha": 0.5, "gamma": 1.5}, MIXED_CLASSES, PROBABILITIES),
    ("CategoricalFocalCrossentropy", {"label_smoothing": 0.1}, CLASSES, PROBABILITIES),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, CLASSES, LOGITS),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, CLASSES, FAR_LOGITS, {"loses": CLIPPED}),
    (
        "CategoricalFocalCrossentropy", {"alpha": 0.5, "gamma": 3.0, "from_logits": True, "label_smoothing": 0.1},
        CLASSES, LOGITS,
    ),
    ("BinaryCrossentropy", {}, FLAGS, CHANCES),
    ("BinaryCrossentropy", {}, FLAGS[:2], SMALL_CHANCES, {"loses": CLIPPED}),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, FLAGS, CHANCES),
    ("BinaryCrossentropy", {"from_logits": True}, FLAGS, LOGITS),
    ("BinaryCrossentropy", {"from_logits": True}, FLAGS, FAR_LOGITS),
    ("BinaryCrossentropy", {"from_logits": True}, FLAGS, LOGITS, {"sample_weight": WEIGHTS}),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, FLAGS, LOGITS),
    ("BinaryFocalCrossentropy", {}, FLAGS, CHANCES),
    ("BinaryFocalCrossentropy", {"gamma": 1.5}, FLAGS, CHANCES),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True}, FLAGS, CHANCES),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 3.0}, FLAGS, CHANCES),
    ("BinaryFocalCrossentropy", {"label_smoothing": 0.1}, FLAGS, CHANCES),
    ("BinaryFocalCrossentropy", {"from_logits": True}, FLAGS, LOGITS),
    ("BinaryFocalCrossentropy", {"from_logits": True}, FLAGS, FAR_LOGITS),
    (
        "BinaryFocalCrossentropy", {"apply_class_balancing": True, "from_logits": True, "label_smoothing": 0.1},
        FLAGS, LOGITS,
    ),
    ("CategoricalHinge", {}, CLASSES, VALUES),
    ("CategoricalHinge", {}, CLASSES, PROBABILITIES),
    ("Hinge", {}, SIGNS, VALUES),
    ("Hinge", {}, FLAGS, VALUES),
    ("SquaredHinge", {}, SIGNS, VALUES),
    ("SquaredHinge", {}, FLAGS, VALUES),
    ("KlDivergence", {}, [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.25, 0.5, 0.25]], PROBABILITIES),
    ("KlDivergence", {}, MIXED_CLASSES, PROBABILITIES, {"loses": LIFTED}),
    ("Poisson", {}, POSITIVE_TRUTHS, POSITIVE_VALUES),
    ("MeanSquaredError", {}, TRUTHS, VALUES),
    ("MeanSquaredError", {}, TRUTHS, VALUES, {"sample_weight": WEIGHTS}),
    ("MeanSquaredError", {}, TRUTHS, VALUES, {"reduction": "sum"}),
    ("MeanSquaredError", {}, TRUTHS, VALUES, {"reduction": "sum", "sample_weight": WEIGHTS}),
    (
        "MeanSquaredError", {}, TRUTHS, VALUES,
        {"reduction": "mean_with_sample_weight", "sample_weight": WEIGHTS},
    ),
    ("MeanAbsoluteError", {}, TRUTHS, VALUES),
    ("MeanAbsolutePercentageError", {}, TRUTHS, VALUES),
    ("MeanSquaredLogarithmicError", {}, POSITIVE_TRUTHS, POSITIVE_VALUES),
    ("MeanSquaredLogarithmicError", {}, [[0.0, -0.5, 2.0]], [[1.0, 0.5, -1.5]], {"loses": LIFTED}),
    ("Huber", {}, TRUTHS, VALUES),
    ("Huber", {"delta": 0.4}, TRUTHS, VALUES),
    ("LogCosh", {}, TRUTHS, VALUES, {"loses": LN_2}),
    ("LogCosh", {}, NEAR_TRUTHS, FAR_VALUES),
    ("LogCosh", {}, [[0.0, 0.5, 0.25]], [[1e-8, 0.49999998, 0.250001]], {"loses": LN_2}),
    ("CosineSimilarity", {}, TRUTHS, VALUES),
    ("Tversky", {}, FLAGS, CHANCES),
    ("Tversky", {"alpha": 0.3, "beta": 0.7}, FLAGS, CHANCES),
    ("Dice", {}, FLAGS, CHANCES),
]

FUNCTIONS = {
    "CategoricalCrossentropy": categorical_crossentropy,
    "SparseCategoricalCrossentropy": sparse_categorical_crossentropy,
    "CategoricalFocalCrossentropy": categorical_focal_crossentropy,
    "BinaryCrossentropy": binary_crossentropy,
    "BinaryFocalCrossentropy": binary_focal_crossentropy,
    "CategoricalHinge": categorical_hinge,
    "Hinge": hinge,
    "SquaredHinge": squared_hinge,
    "KlDivergence": kl_divergence,
    "Poisson": poisson,
    "MeanSquaredError": mean_squared_error,
    "MeanAbsoluteError": mean_absolute_error,
    "MeanAbsolutePercentageError": mean_absolute_percentage_error,
    "MeanSquaredLogarithmicError": mean_squared_logarithmic_error,
    "Huber": huber,
    "LogCosh": log_cosh,
    "CosineSimilarity": cosine_similarity,
    "Tversky": tversky,
    "Dice": dice,
}


def batch_factors(count, sample_weight=None, reduction="sum_over_batch_size", ignored=()):
    """What each sample's loss is multiplied by in the batch's. Ignored samples do not count, as if they were not there."""
    weights = [mpf(0) if sample in ignored else mpf(1) for sample in range(count)]
    if sample_weight is not None:
        weights = [mpf(weight) for weight in sample_weight]
    divisors = {
        "sum": 1, "sum_over_batch_size": count - len(ignored), "mean_with_sample_weight": sum(weights),
    }
    return [weight / divisors[reduction] for weight in weights]


def case(name, arguments, targets, outputs, special={}):
    function = FUNCTIONS[name]
    batch = {key: value for key, value in special.items() if key != "loses"}
    factors = batch_factors(len(outputs), **batch)
    losses, gradients = [], []
    for target, output, factor in zip(targets, outputs, factors):
        target = exact(target) if isinstance(target, list) else target
        losses.append(function(target, exact(output), **arguments))
        gradients.append(factor * gradient(lambda y: function(target, y, **arguments), exact(output)))
    loss = sum(factor * value for factor, value in zip(factors, losses))
    reference = np.concatenate([losses, [loss], np.concatenate(gradients)])
    reason, most = special.get("loses", (None, 0))
    description = ron(name, arguments, plain=len(signature(function).parameters) == 2)
    found = in_keras(name, arguments, targets, outputs, **batch)
    compare(description, found, reference, absolute=1e-16, loses=reason, most=most)
    batch.pop("ignored", None)
    return {
        "description": description, **batch, "targets": targets, "outputs": outputs, "losses": nearest(losses),
        "loss": nearest(loss), "gradient": nearest(gradients),
    }


def in_keras(name, arguments, targets, outputs, sample_weight=None, reduction="sum_over_batch_size", ignored=()):
    """Each sample's loss, the batch's, and its gradient, in one array.

    Dice and Tversky are taken over everything by default; with axis=1 they are each sample's, as all other losses are.
    Keras's Tversky multiplies what it calls false positives, sum t (1 - y), by alpha: those are the false negatives.
    """
    if name in ("Dice", "Tversky"):
        arguments = {**arguments, "axis": 1}
    if name == "Tversky":
        arguments.update(alpha=arguments.get("beta", 0.5), beta=arguments.get("alpha", 0.5))
    loss_class = getattr(keras.losses, {"KlDivergence": "KLDivergence"}.get(name, name))
    targets, outputs = np.array(targets), tf.Variable(np.array(outputs))
    weights = None if sample_weight is None else np.array(sample_weight)
    with tf.GradientTape() as tape:
        loss = loss_class(**arguments, reduction=reduction)(targets, outputs, sample_weight=weights)
    losses = loss_class(**arguments, reduction="none")(targets, outputs)
    return np.concatenate([losses.numpy(), [loss.numpy()], tape.gradient(loss, outputs).numpy().ravel()])


ABOUT = {
    "losses": "each sample's, without its weight",
    "loss": "the batch's, sum of weight times loss by number of samples, or as the reduction says",
    "gradient": "of the batch's loss with respect to the outputs",
}


def generate():
    write("losses", ABOUT, [case(*described) for described in CASES])


if __name__ == "__main__":
    generate()
