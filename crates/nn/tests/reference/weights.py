"""What is done to weights: initializers' bounds and moments, regularizers' penalties and gradients, constraints."""

from mpmath import erf, exp, mpf, pi, sqrt

from common import compare, dot, exact, gradient, keras, nearest, np, ron, write
import tensorflow as tf

FAN_IN, FAN_OUT = 100, 250
# A kernel of 3 inputs and 4 units: a list is an input.
KERNEL = [[1.5, -0.5, 0.25, 3.0], [-2.0, 0.125, 0.75, -1.0], [0.5, 1.0, -0.3, 2.0]]
CUT = mpf(2)
# The variance and the fourth moment of a standard normal distribution that is cut at two standard deviations; by parts,
# both are the whole one's less what stands at the ends.
CUT_END = 2 * CUT * exp(-CUT * CUT / 2) / sqrt(2 * pi) / erf(CUT / sqrt(mpf(2)))
CUT_VARIANCE = 1 - CUT_END
CUT_FOURTH_MOMENT = 3 * CUT_VARIANCE - CUT * CUT * CUT_END


def uniform(low, high):
    width = high - low
    moments = {"mean": (low + high) / 2, "variance": width**2 / 12, "fourth_moment": width**4 / 80}
    return {"lower": low, "upper": high, **moments}


def normal(mean, stddev):
    return {"mean": mpf(mean), "variance": mpf(stddev) ** 2, "fourth_moment": 3 * mpf(stddev) ** 4}


def cut_normal(mean, stddev):
    """Cut at two deviations, which makes the variance smaller than the argument's square."""
    stddev = mpf(stddev)
    moments = {"variance": stddev**2 * CUT_VARIANCE, "fourth_moment": stddev**4 * CUT_FOURTH_MOMENT}
    return {"lower": mean - CUT * stddev, "upper": mean + CUT * stddev, "mean": mpf(mean), **moments}


def variance_scaling(scale=1.0, mode="FanIn", distribution="TruncatedNormal"):
    """Here the cut normal distribution has the variance that is asked for."""
    fan = {"FanIn": FAN_IN, "FanOut": FAN_OUT, "FanAvg": mpf(FAN_IN + FAN_OUT) / 2}[mode]
    variance = mpf(scale) / fan
    return {
        "TruncatedNormal": lambda: cut_normal(0, sqrt(variance / CUT_VARIANCE)),
        "UntruncatedNormal": lambda: normal(0, sqrt(variance)),
        "Uniform": lambda: uniform(-sqrt(3 * variance), sqrt(3 * variance)),
    }[distribution]()


def constant(value):
    return {"lower": mpf(value), "upper": mpf(value), "mean": mpf(value), "variance": mpf(0)}


def identity(gain=1.0):
    """The gain on the diagonal of the shorter side's length, 0 elsewhere."""
    share, gain = mpf(min(FAN_IN, FAN_OUT)) / (FAN_IN * FAN_OUT), mpf(gain)
    return {"lower": mpf(0), "upper": gain, "mean": share * gain, "variance": share * (1 - share) * gain**2}


def orthogonal_kernel(gain=1.0):
    """Right angles between the vectors of the shorter side, each of the gain's length: what a square sums to is given."""
    gain = mpf(gain)
    return {"lower": -gain, "upper": gain, "mean": mpf(0), "mean_square": gain**2 / max(FAN_IN, FAN_OUT)}


# Description; whether it takes arguments; bounds and moments.
INITIALIZERS = [
    ("Zeros", {}, True, constant(0)),
    ("Ones", {}, True, constant(1)),
    ("Constant", {"value": 0.5}, False, constant(0.5)),
    ("RandomNormal", {}, False, normal(0, 0.05)),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.5}, False, normal(1, 0.5)),
    ("TruncatedNormal", {}, False, cut_normal(0, 0.05)),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 0.5}, False, cut_normal(1, 0.5)),
    ("RandomUniform", {}, False, uniform(mpf(-0.05), mpf(0.05))),
    ("RandomUniform", {"minval": -1.0, "maxval": 3.0}, False, uniform(mpf(-1), mpf(3))),
    ("VarianceScaling", {}, False, variance_scaling()),
    *(
        ("VarianceScaling", {"scale": 2.0, "mode": mode, "distribution": shape}, False, variance_scaling(2, mode, shape))
        for mode in ("FanIn", "FanOut", "FanAvg") for shape in ("TruncatedNormal", "UntruncatedNormal", "Uniform")
    ),
    ("GlorotUniform", {}, True, variance_scaling(1, "FanAvg", "Uniform")),
    ("GlorotNormal", {}, True, variance_scaling(1, "FanAvg")),
    ("HeUniform", {}, True, variance_scaling(2, "FanIn", "Uniform")),
    ("HeNormal", {}, True, variance_scaling(2)),
    ("LecunUniform", {}, True, variance_scaling(1, "FanIn", "Uniform")),
    ("LecunNormal", {}, True, variance_scaling(1)),
    ("Identity", {}, False, identity()),
    ("Identity", {"gain": 3.0}, False, identity(3)),
    ("Orthogonal", {}, False, orthogonal_kernel()),
    ("Orthogonal", {"gain": 1.5}, False, orthogonal_kernel(1.5)),
]
# Those without a random number, whose draw has the mean and the variance themselves.
CONSTANTS = ("Zeros", "Ones", "Constant", "Identity")
WORDS = {
    "FanIn": "fan_in", "FanOut": "fan_out", "FanAvg": "fan_avg", "TruncatedNormal": "truncated_normal",
    "UntruncatedNormal": "untruncated_normal", "Uniform": "uniform",
}


def initializer_case(name, arguments, plain, expected):
    """Keras's draws keep the bounds, and have mean and variance within six standard errors."""
    in_keras = {key: WORDS.get(value, value) if isinstance(value, str) else value for key, value in arguments.items()}
    if name not in CONSTANTS:
        in_keras["seed"] = 1
    values = keras.ops.convert_to_numpy(getattr(keras.initializers, name)(**in_keras)((FAN_IN, FAN_OUT)))
    numbers = {key: nearest(value) for key, value in expected.items()}
    rounding = 1e-6 * max(1, abs(numbers["mean"]))
    check_moments(name, values, numbers)
    assert numbers.get("lower", -np.inf) - rounding <= values.min(), name
    assert values.max() <= numbers.get("upper", np.inf) + rounding, name
    return {"description": ron(name, arguments, plain), **numbers}


def check_moments(name, values, numbers):
    """The standard errors are those of n independent draws; six of them are never left by chance."""
    if "mean_square" in numbers:
        gram = values @ values.T if FAN_IN <= FAN_OUT else values.T @ values
        square = numbers["mean_square"] * max(FAN_IN, FAN_OUT)
        assert np.abs(gram - square * np.eye(len(gram))).max() <= 1e-5 * square, name
        return
    mean, variance = numbers["mean"], numbers["variance"]
    spread = numbers.get("fourth_moment", variance**2) - variance**2
    of_mean = 0 if name in CONSTANTS else (variance / values.size) ** 0.5
    of_variance = (spread / values.size) ** 0.5
    assert abs(values.mean() - mean) <= 6 * of_mean + 1e-9, name
    assert abs(((values - mean) ** 2).mean() - variance) <= 6 * of_variance + 1e-9, name


def l1_l2(w, l1=0.0, l2=0.0):
    return mpf(l1) * abs(w).sum() + mpf(l2) * (w * w).sum()


def orthogonal(w, factor=0.01, mode="Rows"):
    """factor times the mean of |cos| over all pairs of rows: of inputs, as the kernel is written here; or of columns."""
    w = w if mode == "Rows" else w.T
    unit = [row / sqrt(dot(row, row)) for row in w]
    pairs = [abs(dot(unit[a], unit[b])) for a in range(len(w)) for b in range(a)]
    return mpf(factor) * sum(pairs) / len(pairs)


REGULARIZERS = [
    ("L1", {}, lambda w: l1_l2(w, l1=0.01)),
    ("L1", {"l1": 0.5}, lambda w: l1_l2(w, l1=0.5)),
    ("L2", {}, lambda w: l1_l2(w, l2=0.01)),
    ("L2", {"l2": 0.5}, lambda w: l1_l2(w, l2=0.5)),
    ("L1L2", {}, lambda w: l1_l2(w)),
    ("L1L2", {"l1": 0.25, "l2": 0.5}, lambda w: l1_l2(w, 0.25, 0.5)),
    ("Orthogonal", {}, orthogonal),
    ("Orthogonal", {"factor": 0.5, "mode": "Columns"}, lambda w: orthogonal(w, 0.5, "Columns")),
]


def regularizer_case(name, arguments, formula):
    """Keras rounds the factors to 32 bits, so the comparison goes to 1e-7."""
    value, slopes = formula(exact(KERNEL)), gradient(formula, exact(KERNEL))
    in_keras = {key: word.lower() if isinstance(word, str) else word for key, word in arguments.items()}
    regularizer = getattr(keras.regularizers, {"Orthogonal": "OrthogonalRegularizer"}.get(name, name))(**in_keras)
    if name == "Orthogonal":
        regularizer.factor = np.float64(arguments.get("factor", 0.01))
    w = tf.Variable(np.array(KERNEL))
    with tf.GradientTape() as tape:
        found = regularizer(w)
    if value != 0:
        compare(name, found.numpy(), value, relative=1e-7)
        compare(name, tape.gradient(found, w).numpy(), slopes, relative=1e-7, absolute=1e-15)
    return {"description": ron(name, arguments), "value": nearest(value), "gradient": nearest(slopes)}


def with_norms(desired):
    """Each unit's incoming weights, a column here, scaled to the norm that is desired for theirs. 0 stays 0."""
    def apply(w):
        norms = [sqrt(dot(column, column)) for column in w.T]
        return w * np.array([desired(norm) / norm if norm else mpf(0) for norm in norms])
    return apply


def between(low, high, rate=1.0):
    return with_norms(lambda n: mpf(rate) * min(max(n, mpf(low)), mpf(high)) + (1 - mpf(rate)) * n)


CONSTRAINTS = [
    ("MaxNorm", {}, False, between(0, 2)),
    ("MaxNorm", {"max_value": 1.0}, False, between(0, 1)),
    ("MinMaxNorm", {}, False, between(0, 1)),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0}, False, between(1, 2)),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0, "rate": 0.25}, False, between(1, 2, 0.25)),
    ("NonNeg", {}, True, lambda w: np.where(w > 0, w, mpf(0))),
    ("UnitNorm", {}, True, with_norms(lambda n: mpf(1))),
]


def constraint_case(name, arguments, plain, formula):
    """Keras adds 1e-7 to the norm that it divides by, so that a unit norm is a little less than 1."""
    kernel = formula(exact(KERNEL))
    found = getattr(keras.constraints, name)(**arguments)(np.array(KERNEL)).numpy()
    compare(name, found, kernel, relative=1e-6)
    return {"description": ron(name, arguments, plain), "constrained": nearest(kernel)}


def generate():
    about = {
        "fan_in": FAN_IN,
        "fan_out": FAN_OUT,
        "variance": "of the distribution, or of the values where none is drawn",
        "fourth_moment": "of the distribution about its mean: it tells how near a draw's variance comes",
        "mean_square": "of an orthogonal kernel, whose sum of squares is no chance; its mean is near to the one given",
    }
    write("initializers", about, [initializer_case(*row) for row in INITIALIZERS])
    about = {"kernel": KERNEL, "order": "the kernel, its gradient and what it is constrained to: a list for each input"}
    write("regularizers", about, [regularizer_case(*row) for row in REGULARIZERS])
    write("constraints", about, [constraint_case(*row) for row in CONSTRAINTS])


if __name__ == "__main__":
    generate()
