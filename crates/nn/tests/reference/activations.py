"""Activations: values and derivatives; of those that look at a whole vector, values and vector-Jacobian products."""

from mpmath import erfc, exp, expm1, log, log1p, mp, mpf, pi, sqrt, tanh

from common import compare, derivative, dot, exact, gradient, keras, nearest, np, write
import tensorflow as tf

K = keras.activations
INPUTS = [-700.0, -40.0, -5.0, -1.0, -0.1, 0.0, 0.3, 1.0, 2.5, 6.5, 40.0, 700.0]
COTANGENT = [1.0, -2.0, 0.5, 3.0]
VECTORS = [
    [0.5, -1.0, 2.0, 0.25], [1.0, 1.0, 1.0, 1.0], [0.3, 0.1, -0.2, 0.15], [-40.0, 0.0, 3.0, 40.0],
    [700.0, -700.0, 0.0, 1.0],
]

# The limits of the series in Klambauer and others, arXiv:1706.02515, equation 14.
SELU_ALPHA = -sqrt(2 / pi) / (erfc(1 / sqrt(mpf(2))) * exp(mpf(1) / 2) - 1)
SELU_SCALE = (1 - erfc(1 / sqrt(mpf(2))) * sqrt(exp(mpf(1)))) * sqrt(2 * pi) / sqrt(
    2 * erfc(sqrt(mpf(2))) * exp(mpf(2)) + pi * erfc(1 / sqrt(mpf(2))) ** 2 * exp(mpf(1))
    - 2 * (2 + pi) * erfc(1 / sqrt(mpf(2))) * sqrt(exp(mpf(1))) + pi + 2
)


def sigmoid(x):
    return 1 / (1 + exp(-x))


def bounded_relu(negative_slope=0.0, max_value=mp.inf, threshold=0.0):
    slope, top, corner = mpf(negative_slope), mpf(max_value), mpf(threshold)
    return lambda x: top if x >= top else x if x >= corner else slope * (x - corner)


def clamp(low, high):
    return lambda x: min(max(x, mpf(low)), mpf(high))


def elu(alpha):
    return lambda x: x if x > 0 else mpf(alpha) * expm1(x)


def soft_shrink(threshold):
    return lambda x: x - threshold if x > threshold else x + threshold if x < -threshold else mpf(0)


def hard_shrink(threshold):
    return lambda x: x if abs(x) > threshold else mpf(0)


def gelu(x):
    return x * erfc(-x / sqrt(mpf(2))) / 2


def gelu_tanh(x):
    return x / 2 * (1 + tanh(sqrt(2 / pi) * (x + mpf("0.044715") * x**3)))


def scaled_tanh(amplitude, slope):
    return lambda x: mpf(amplitude) * tanh(mpf(slope) * x)


# Description: the formula, the same in Keras, and the inputs where it has no derivative.
SCALARS = {
    "Linear": (lambda x: x, K.linear, []),
    "Relu": (bounded_relu(), K.relu, [0]),
    "BoundedRelu(negative_slope: 0.1)": (bounded_relu(0.1), lambda x: K.relu(x, negative_slope=0.1), [0]),
    "BoundedRelu(max_value: 3.0)": (bounded_relu(max_value=3), lambda x: K.relu(x, max_value=3.0), [0]),
    "BoundedRelu(threshold: 0.5)": (bounded_relu(threshold=0.5), lambda x: K.relu(x, threshold=0.5), []),
    "BoundedRelu(negative_slope: 0.1, max_value: 3.0, threshold: 0.5)": (
        bounded_relu(0.1, 3, 0.5), lambda x: K.relu(x, 0.1, 3.0, 0.5), []
    ),
    "Relu6": (bounded_relu(max_value=6), K.relu6, [0]),
    "LeakyRelu()": (bounded_relu(0.2), K.leaky_relu, [0]),
    "LeakyRelu(negative_slope: 0.3)": (bounded_relu(0.3), lambda x: K.leaky_relu(x, 0.3), [0]),
    "Elu()": (elu(1), K.elu, []),
    "Elu(alpha: 1.5)": (elu(1.5), lambda x: K.elu(x, 1.5), [0]),
    "Selu": (lambda x: SELU_SCALE * elu(SELU_ALPHA)(x), K.selu, [0]),
    "Celu()": (elu(1), K.celu, []),
    "Celu(alpha: 1.5)": (lambda x: x if x > 0 else mpf(1.5) * expm1(x / 1.5), lambda x: K.celu(x, 1.5), []),
    "Threshold(threshold: 0.5, value: -2.0)": (
        lambda x: x if x > 0.5 else mpf(-2), lambda x: K.threshold(x, 0.5, -2.0), []
    ),
    "Sigmoid": (sigmoid, K.sigmoid, []),
    "HardSigmoid": (lambda x: clamp(0, 1)((x + 3) / 6), K.hard_sigmoid, []),
    "SparseSigmoid": (lambda x: clamp(0, 1)((x + 1) / 2), K.sparse_sigmoid, [-1, 1]),
    "Tanh": (tanh, K.tanh, []),
    "ScaledTanh(amplitude: 1.7159, slope: 0.6666666666666666)": (
        scaled_tanh(1.7159, 2 / 3), lambda x: 1.7159 * K.tanh(2 / 3 * x), []
    ),
    "HardTanh": (clamp(-1, 1), K.hard_tanh, [-1, 1]),
    "Softsign": (lambda x: x / (1 + abs(x)), K.softsign, []),
    "Softplus": (lambda x: log1p(exp(x)), K.softplus, []),
    "LogSigmoid": (lambda x: -log1p(exp(-x)), K.log_sigmoid, []),
    "Squareplus()": (lambda x: (x + sqrt(x * x + 4)) / 2, K.squareplus, []),
    "Squareplus(b: 1.0)": (lambda x: (x + sqrt(x * x + 1)) / 2, lambda x: K.squareplus(x, 1), []),
    "SparsePlus": (lambda x: mpf(0) if x <= -1 else (x + 1) ** 2 / 4 if x < 1 else x, K.sparse_plus, []),
    "Exponential": (exp, K.exponential, []),
    "Silu": (lambda x: x * sigmoid(x), K.silu, []),
    "HardSilu": (lambda x: x * clamp(0, 1)((x + 3) / 6), K.hard_silu, []),
    "Mish": (lambda x: x * tanh(log1p(exp(x))), K.mish, []),
    "Gelu": (gelu, K.gelu, []),
    "GeluTanh": (gelu_tanh, lambda x: K.gelu(x, approximate=True), []),
    "TanhShrink": (lambda x: x - tanh(x), K.tanh_shrink, []),
    "SoftShrink()": (soft_shrink(0.5), K.soft_shrink, []),
    "SoftShrink(threshold: 0.2)": (soft_shrink(mpf(0.2)), lambda x: K.soft_shrink(x, 0.2), []),
    "HardShrink()": (hard_shrink(0.5), K.hard_shrink, []),
    "HardShrink(threshold: 0.2)": (hard_shrink(mpf(0.2)), lambda x: K.hard_shrink(x, 0.2), []),
}

# Where Keras on TensorFlow is not within 1e-9 of the formula: why, how far it is at most, and at which inputs.
FROM_OUTPUT = "the derivative comes from an output that has been rounded to its limit", 1e-15
SLOPE = "the slope is a 32-bit attribute", 1e-7
CONSTANT = "a constant of the formula is rounded to 32 bits", 1e-7
TWICE = "the gradients of max(x, 0) and min(x, 0) are both taken as 1 at 0, so their sum is 2", 1
NEGATIVE = [x for x in INPUTS if x < 0]
LOSES = {
    "BoundedRelu(negative_slope: 0.1)": (SLOPE, NEGATIVE),
    "LeakyRelu()": (SLOPE, NEGATIVE),
    "LeakyRelu(negative_slope: 0.3)": (SLOPE, NEGATIVE),
    "Elu()": (FROM_OUTPUT, [-40]),
    "Elu(alpha: 1.5)": (FROM_OUTPUT, [-40]),
    "Selu": (FROM_OUTPUT, [-40]),
    "Celu()": (TWICE, [0]),
    "Celu(alpha: 1.5)": (TWICE, [0]),
    "Sigmoid": (FROM_OUTPUT, [40]),
    "Tanh": (FROM_OUTPUT, [-40, 40]),
    "ScaledTanh(amplitude: 1.7159, slope: 0.6666666666666666)": (FROM_OUTPUT, [-40, 40]),
    "Gelu": (CONSTANT, [-5, -1, -0.1, 0.3, 1, 2.5]),
    "GeluTanh": (CONSTANT, [-5, -1]),
}


def softmax(z):
    powers = np.array([exp(value - max(z)) for value in z])
    return powers / powers.sum()


def log_softmax(z):
    return z - log(sum(exp(value) for value in z))


def sparsemax(z):
    """The nearest point of the simplex (Martins and Astudillo, arXiv:1602.02068, algorithm 1)."""
    falling = sorted(z, reverse=True)
    support = [k for k in range(1, len(z) + 1) if 1 + k * falling[k - 1] > sum(falling[:k])]
    threshold = (sum(falling[: support[-1]]) - 1) / support[-1]
    return np.array([max(value - threshold, mpf(0)) for value in z])


def glu(z):
    half = len(z) // 2
    return np.array([value * sigmoid(gate) for value, gate in zip(z[:half], z[half:])])


VECTOR_FUNCTIONS = {
    "Softmax": (softmax, K.softmax),
    "LogSoftmax": (log_softmax, K.log_softmax),
    "Sparsemax": (sparsemax, K.sparsemax),
    "Glu": (glu, K.glu),
}


def scalar_case(description, function, in_keras, corners):
    inputs = [x for x in INPUTS if x not in corners]
    outputs = [function(x) for x in exact(inputs)]
    derivatives = [derivative(function, x) for x in exact(inputs)]
    found, slopes = keras_values(in_keras, inputs)
    for index, x in enumerate(inputs):
        (loses, most), where = LOSES.get(description, ((None, 0), []))
        compare(
            f"{description} at {x}", [found[index], slopes[index]], [outputs[index], derivatives[index]],
            loses=loses if x in where else None, most=most,
        )
    return {
        "description": description, "inputs": inputs, "outputs": nearest(outputs), "derivatives": nearest(derivatives)
    }


def vector_case(description, function, in_keras):
    samples = [exact(vector) for vector in VECTORS]
    outputs = [function(z) for z in samples]
    cotangent = COTANGENT[: len(outputs[0])]
    products = [gradient(lambda z: dot(exact(cotangent), function(z)), z) for z in samples]
    checked = [sample for sample, y in enumerate(outputs) if description != "Sparsemax" or is_one_hot(y, samples[sample])]
    found, slopes = keras_values(in_keras, [VECTORS[sample] for sample in checked], cotangent)
    compare(description, found, [outputs[sample] for sample in checked], absolute=1e-15)
    compare(f"gradient of {description}", slopes, [products[sample] for sample in checked], absolute=1e-15)
    return {
        "description": description, "inputs": VECTORS, "outputs": nearest(outputs), "cotangent": cotangent,
        "input_gradients": nearest(products),
    }


def is_one_hot(y, z):
    """Whether a result of sparsemax is a one-hot vector, the only kind that Keras gets right.

    Its threshold adds up the cumulative sums of the support where the last of them is meant. So the others are held to
    what makes a point of the simplex the nearest one to z: y - z is the same wherever y > 0, and not smaller elsewhere.
    """
    threshold = max(z - y)
    assert abs(sum(y) - 1) < 1e-30 and all(abs(z[i] - y[i] - threshold) < 1e-30 for i in range(len(z)) if y[i] > 0)
    return sum(value > 0 for value in y) == 1


def keras_values(function, inputs, cotangent=1.0):
    """Values, and the gradient of their product with the cotangent."""
    x = tf.Variable(np.array(inputs))
    with tf.GradientTape() as tape:
        y = function(x)
        scalar = tf.reduce_sum(y * np.array(cotangent))
    slopes = tape.gradient(scalar, x)
    return y.numpy(), tf.convert_to_tensor(slopes).numpy()


def generate():
    cases = [scalar_case(description, *rest) for description, rest in SCALARS.items()]
    write("activations", {"derivatives": "f'(input), element by element"}, cases)
    cases = [vector_case(description, *rest) for description, rest in VECTOR_FUNCTIONS.items()]
    meaning = "each sample's, the cotangent (the same for every sample) times the Jacobian"
    write("vector_activations", {"input_gradients": meaning}, cases)


if __name__ == "__main__":
    generate()
