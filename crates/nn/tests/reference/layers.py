"""Layers with more than an activation: outputs in training and inference, statistics, and gradients."""

from mpmath import mpf, sqrt

from common import compare, dot, exact, gradient, keras, nearest, np, ron, write
import tensorflow as tf

BATCHES = [
    [[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [-1.5, 0.75, 2.0], [2.0, 1.0, 0.125]],
    [[0.5, 0.5, -3.0], [1.25, -0.25, 4.0], [3.0, 2.0, 1.0], [-0.5, 0.1, 0.7]],
    [[-1.0, 0.3, 0.2], [0.6, -0.9, 1.1], [1.4, 0.8, -2.2], [0.9, -1.7, 0.4]],
]
COTANGENT = [[1.0, -0.5, 2.0], [0.25, 1.5, -1.0], [-2.0, 0.75, 0.5], [1.0, 1.0, -0.25]]
GAMMA, BETA = [1.5, 0.5, -2.0], [0.25, -1.0, 0.75]


def mean(x, axis):
    return x.sum(axis=axis, keepdims=True) / x.shape[axis]


def variance(x, axis):
    return mean((x - mean(x, axis)) ** 2, axis)


def root(x):
    return np.frompyfunc(sqrt, 1, 1)(x)


def scaled(x, weights):
    return x * weights.get("gamma", weights.get("scale", 1)) + weights.get("beta", 0)


def batch_normalization(x, weights, epsilon=1e-3, **_):
    """With the batch's mean and its variance without Bessel's correction (Ioffe and Szegedy, arXiv:1502.03167, alg. 1)."""
    return scaled((x - mean(x, 0)) / root(variance(x, 0) + mpf(epsilon)), weights)


def batch_inference(x, weights, statistics, epsilon=1e-3, **_):
    return scaled((x - statistics["moving_mean"]) / root(statistics["moving_variance"] + mpf(epsilon)), weights)


def moved(statistics, x, momentum=0.99, **_):
    momentum = mpf(momentum)
    return {
        "moving_mean": momentum * statistics["moving_mean"] + (1 - momentum) * mean(x, 0)[0],
        "moving_variance": momentum * statistics["moving_variance"] + (1 - momentum) * variance(x, 0)[0],
    }


def layer_normalization(x, weights, epsilon=1e-3, **_):
    return scaled((x - mean(x, 1)) / root(variance(x, 1) + mpf(epsilon)), weights)


def rms_normalization(x, weights, epsilon=1e-6):
    return scaled(x / root(mean(x * x, 1) + mpf(epsilon)), weights)


def unit_normalization(x, weights):
    return x / root((x * x).sum(axis=1, keepdims=True))


def prelu(x, weights):
    return np.where(x > 0, x, weights["alpha"] * x)


def rescaling(x, weights, scale, offset=0.0):
    return x * mpf(scale) + mpf(offset)


def normalization(x, weights):
    """Features have mean 0 and variance 1 in the data that was adapted to, which is here all batches together."""
    data = exact(np.concatenate(BATCHES))
    return (x - mean(data, 0)) / root(variance(data, 0))


def maxout(x, weights, units, pieces):
    """The largest of `pieces` sums for each unit (Goodfellow and others, arXiv:1302.4389, equation 2)."""
    sums = x @ weights["kernel"] + weights["bias"]
    return sums.reshape(len(x), units, pieces).max(axis=2)


def activity_regularization(x, weights, **_):
    return x


# Description, arguments, weights, formula.
CASES = [
    ("BatchNormalization", {}, {"gamma": GAMMA, "beta": BETA}, batch_normalization),
    ("BatchNormalization", {"momentum": 0.9, "epsilon": 0.01}, {"gamma": GAMMA, "beta": BETA}, batch_normalization),
    ("BatchNormalization", {"center": False}, {"gamma": GAMMA}, batch_normalization),
    ("BatchNormalization", {"center": False, "scale": False}, {}, batch_normalization),
    ("LayerNormalization", {}, {"gamma": GAMMA, "beta": BETA}, layer_normalization),
    ("LayerNormalization", {"epsilon": 0.01}, {"gamma": GAMMA, "beta": BETA}, layer_normalization),
    ("LayerNormalization", {"scale": False}, {"beta": BETA}, layer_normalization),
    ("RmsNormalization", {}, {"scale": GAMMA}, rms_normalization),
    ("RmsNormalization", {"epsilon": 0.01}, {"scale": GAMMA}, rms_normalization),
    ("UnitNormalization", {}, {}, unit_normalization),
    ("PRelu", {}, {"alpha": [0.25, 0.0, -0.5]}, prelu),
    ("Rescaling", {"scale": 0.5}, {}, rescaling),
    ("Rescaling", {"scale": 2.0, "offset": -1.0}, {}, rescaling),
    ("Normalization", {}, {}, normalization),
    (
        "Maxout", {"units": 2, "pieces": 2},
        {
            "kernel": [[0.5, -1.0, 0.25, 2.0], [1.5, 0.75, -0.5, 0.1], [-0.25, 1.0, 0.3, -0.7]],
            "bias": [0.1, -0.2, 0.3, 0.4],
        },
        maxout,
    ),
    ("ActivityRegularization", {"l1": 0.1}, {}, activity_regularization),
    ("ActivityRegularization", {"l1": 0.1, "l2": 0.01}, {}, activity_regularization),
]
NAMES = {"RmsNormalization": "RMSNormalization", "PRelu": "PReLU"}


def case(name, arguments, weights, formula):
    x = exact(BATCHES[0])
    exact_weights = {key: exact(value) for key, value in weights.items()}
    outputs = formula(x, exact_weights, **arguments)
    cotangent = np.array(COTANGENT)[:, : outputs.shape[1]]
    factors = exact(cotangent)
    slopes = {"input": gradient(lambda x: dot(factors, formula(x, exact_weights, **arguments)), x)}
    for key in exact_weights:
        of_weight = lambda value: dot(factors, formula(x, {**exact_weights, key: value}, **arguments))
        slopes[key] = gradient(of_weight, exact_weights[key])
    result = {"description": ron(name, arguments), "weights": weights, "outputs": nearest(outputs)}
    result |= {"cotangent": cotangent.tolist(), "gradients": {key: nearest(value) for key, value in slopes.items()}}
    layer = None if name == "Maxout" else in_keras(name, arguments, weights)
    if layer is not None:
        check_training(result["description"], layer, outputs, slopes, cotangent)
    if name == "BatchNormalization":
        result |= after_three_batches(layer, exact_weights, arguments)
    if name == "ActivityRegularization":
        result["added_loss"] = added_loss(layer, x, **arguments)
    return result


def in_keras(name, arguments, weights):
    """Maxout is not in Keras."""
    if name == "Normalization":
        layer = keras.layers.Normalization()
        layer.adapt(np.concatenate(BATCHES))
        return layer
    layer = getattr(keras.layers, NAMES.get(name, name))(**arguments)
    layer.build((None, 3))
    for key, value in weights.items():
        getattr(layer, key).assign(value)
    return layer


def check_training(description, layer, outputs, slopes, cotangent):
    x = tf.constant(np.array(BATCHES[0]))
    variables = [x, *(weight.value for weight in layer.trainable_variables)]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        scalar = tf.reduce_sum(y * cotangent)
    compare(description, y.numpy(), outputs, absolute=1e-15)
    for found, expected in zip(tape.gradient(scalar, variables), slopes.values(), strict=True):
        compare(f"gradient of {description}", found.numpy(), expected, absolute=1e-14)


def after_three_batches(layer, weights, arguments):
    """The moving statistics begin as 0 and 1; the inference is of the first batch. The layer has seen that one."""
    statistics = {"moving_mean": exact([0] * 3), "moving_variance": exact([1] * 3)}
    for batch in BATCHES:
        statistics = moved(statistics, exact(batch), **arguments)
    inference = batch_inference(exact(BATCHES[0]), weights, statistics, **arguments)
    for batch in BATCHES[1:]:
        layer(np.array(batch), training=True)
    compare("moving mean", layer.moving_mean.numpy(), statistics["moving_mean"])
    compare("moving variance", layer.moving_variance.numpy(), statistics["moving_variance"])
    compare("inference", layer(np.array(BATCHES[0]), training=False).numpy(), inference, absolute=1e-15)
    return {**{key: nearest(value) for key, value in statistics.items()}, "inference": nearest(inference)}


def added_loss(layer, x, l1=0.0, l2=0.0):
    """(l1 sum |x| + l2 sum x^2) / samples, over the whole batch. As in Keras, which rounds l1 and l2 to 32 bits."""
    loss = (mpf(l1) * abs(x).sum() + mpf(l2) * (x * x).sum()) / len(x)
    layer(np.array(BATCHES[0]))
    compare("added loss", layer.losses[0].numpy(), loss, relative=1e-7)
    return nearest(loss)


ABOUT = {
    "batches": BATCHES,
    "outputs": "of the first batch, in training; a list is a sample",
    "gradients": "of the sum of cotangent times output, with respect to the input and to each weight",
    "inference": "of the first batch, after training on all three in turn gave the moving statistics",
    "added_loss": "of the first batch; the gradient of it is not among the gradients",
    "kernel": "Maxout's, a list for each input: the pieces of a unit stand together",
}


def generate():
    write("layers", ABOUT, [case(*described) for described in CASES])


if __name__ == "__main__":
    generate()
