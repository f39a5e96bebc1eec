"""Values in sixty digits of every function of src/math and src/activation, rounded to double precision.

    pip install mpmath
    python functions.py > functions.txt

Each line: name, argument, value, what rounding took from the value, derivative; numbers by their bits in hexadecimal.
"""

import random
import struct

from mpmath import cosh, erf, erfc, exp, expm1, log, log1p, mp, mpf, pi, sqrt, tanh

mp.dps = 60
HALF = mpf(1) / 2
ROOT_2 = sqrt(2)
ALPHA, SCALE = mpf("1.6732632423543772848170429916717"), mpf("1.0507009873554804934193349852946")


def sigmoid(x):
    return 1 / (1 + exp(-x)) if x > -1000 else exp(x)


def density(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


def normal(x):
    return erfc(-x / ROOT_2) / 2


def gelu_tanh_argument(x):
    return 2 * sqrt(2 / pi) * (x + mpf("0.044715") * x**3)


def gelu_tanh_derivative(x):
    s = sigmoid(gelu_tanh_argument(x))
    return s + x * s * (1 - s) * 2 * sqrt(2 / pi) * (1 + 3 * mpf("0.044715") * x * x)


def mish_derivative(x):
    t = tanh(log1p(exp(x)))
    return t + x * (1 - t * t) * sigmoid(x)


def scaled_tanh(x):
    return mpf(1.7159) * tanh(mpf(2 / 3) * x)


# Name: value, derivative, scale of the arguments.
FUNCTIONS = {
    "exp": (exp, exp, 745),
    "log": (log, lambda x: 1 / x, None),
    "tanh": (tanh, lambda x: 1 / cosh(x) ** 2, 20),
    "erf": (erf, lambda x: 2 / sqrt(pi) * exp(-x * x), 6),
    "elu": (lambda x: x if x > 0 else expm1(x) * mpf(1.5), lambda x: mpf(1) if x > 0 else mpf(1.5) * exp(x), 30),
    "selu": (
        lambda x: SCALE * x if x > 0 else SCALE * ALPHA * expm1(x),
        lambda x: SCALE if x > 0 else SCALE * ALPHA * exp(x),
        30,
    ),
    "celu": (lambda x: x if x > 0 else expm1(x / 1.5) * 1.5, lambda x: mpf(1) if x > 0 else exp(x / 1.5), 30),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x), 700),
    "scaled_tanh": (scaled_tanh, lambda x: mpf(1.7159) * mpf(2 / 3) / cosh(mpf(2 / 3) * x) ** 2, 20),
    "softsign": (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2, 100),
    "softplus": (lambda x: log1p(exp(x)), sigmoid, 700),
    "log_sigmoid": (lambda x: -log1p(exp(-x)), lambda x: sigmoid(-x), 700),
    "squareplus": (lambda x: (x + sqrt(x * x + 4)) / 2, lambda x: (1 + x / sqrt(x * x + 4)) / 2, 100),
    "silu": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid(x) * sigmoid(-x), 700),
    "mish": (lambda x: x * tanh(log1p(exp(x))), mish_derivative, 700),
    "gelu": (lambda x: x * normal(x), lambda x: normal(x) + x * density(x), 37),
    "gelu_tanh": (lambda x: x * sigmoid(gelu_tanh_argument(x)), gelu_tanh_derivative, 20),
    "tanh_shrink": (lambda x: x - tanh(x), lambda x: tanh(x) ** 2, 20),
}

# Of these the error is stated in units in the last place.
DENSE = ("exp", "log", "tanh", "erf")


def arguments(generator, scale, count):
    """Half of them of every size up to the scale, down to 10⁻¹⁰ of it; half between −4 and 4."""
    if scale is None:
        for _ in range(count // 2):
            yield 2.0 ** generator.uniform(-1074, 1024)
            yield generator.uniform(0.25, 4.0)
        return
    for _ in range(count // 2):
        yield generator.choice((-1.0, 1.0)) * scale * 10 ** (-10 * generator.random() ** 2)
        yield generator.uniform(-4.0, 4.0)


if __name__ == "__main__":
    generator = random.Random(1)
    for name, (value, derivative, scale) in FUNCTIONS.items():
        for x in arguments(generator, scale, 800 if name in DENSE else 80):
            exact = value(mpf(x))
            numbers = (x, float(exact), float(exact - float(exact)), float(derivative(mpf(x))))
            print(name, *(struct.pack(">d", number).hex() for number in numbers))
