"""What all references share: numbers of 800 digits, their derivatives, the comparison with Keras, and the JSON.

A reference is the defining formula, written as in a book and evaluated with mpmath. 800 digits are enough for it to need
no stable form: the worst cancellation, 1 - sigmoid(700), takes 305 of them and a difference quotient 400, and more than 50
are left. What is printed is the nearest double. Keras runs in double precision on TensorFlow, and has to agree wherever its
own arithmetic keeps the digits.
"""

import json
import os
import sys
from inspect import signature
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "1")

# PyTorch does without it on a CPU; its LLVM and TensorFlow's cannot be in one process.
sys.modules["triton"] = None

import keras
import numpy as np
from mpmath import mp, mpf

keras.config.set_floatx("float64")
mp.dps = 800
STEP = mpf(10) ** -400
FOLDER = Path(__file__).parent


def exact(values):
    """An array of the doubles' exact values."""
    return np.frompyfunc(mpf, 1, 1)(np.asarray(values, dtype=object))


def nearest(values):
    """The nearest doubles, as nested lists, or one number."""
    if isinstance(values, (list, tuple, np.ndarray)):
        return [nearest(value) for value in values]
    return float(values)


def elementwise(function):
    """A function of one number as one of arrays."""
    return np.frompyfunc(function, 1, 1)


def derivative(function, x):
    """f'(x) by a central difference; its error is some 1e-800 of f''', and below any double where f' has a corner."""
    return (function(x + STEP) - function(x - STEP)) / (2 * STEP)


def gradient(function, values):
    """The derivatives of a number with respect to each element of an array."""
    result = np.empty(values.shape, dtype=object)
    for index in np.ndindex(values.shape):
        above, below = values.copy(), values.copy()
        above[index] += STEP
        below[index] -= STEP
        result[index] = (function(above) - function(below)) / (2 * STEP)
    return result


def dot(left, right):
    return (np.asarray(left, dtype=object) * np.asarray(right, dtype=object)).sum()


def with_doubles(keras_class, **arguments):
    """An object of Keras with every floating-point setting given as a double of NumPy.

    TensorFlow makes 32 bits of a Python float before Keras casts it to 64: Adam's beta_2 ** step, for one, would be that of
    0.99900001287.
    """
    defaults = {name: parameter.default for name, parameter in signature(keras_class).parameters.items()}
    settings = {name: value for name, value in {**defaults, **arguments}.items() if isinstance(value, float)}
    return keras_class(**{**arguments, **{name: np.float64(value) for name, value in settings.items()}})


def ron(name, arguments, plain=False):
    """A description as it is written in a recipe; a plain one takes no arguments, so it has no parentheses."""
    fields = ", ".join(f"{key}: {ron_value(value)}" for key, value in arguments.items())
    return name if plain else f"{name}({fields})"


def ron_value(value):
    """Text is taken as RON already, so that descriptions nest."""
    if isinstance(value, list):
        return f"[{', '.join(map(ron_value, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


def compare(what, found, reference, relative=1e-9, absolute=1e-300, loses=None, most=1e-6):
    """Asserts that the library's numbers are the reference's to 1e-9 relative.

    `loses` says why the library's cannot be: then they may differ by `most` relative to 1 or the reference, and must differ
    by more than the 1e-9, so that a note that no longer holds is noticed.
    """
    found = np.asarray(found, dtype=float)
    reference = np.asarray(nearest(reference), dtype=float)
    assert found.shape == reference.shape, f"{what}: {found.shape} and {reference.shape}"
    distance = np.abs(found - reference)
    close = distance <= relative * np.abs(reference) + absolute
    if loses is None:
        assert close.all(), f"{what}: {found[~close]} instead of {reference[~close]}"
    else:
        assert (distance <= most * np.maximum(1, np.abs(reference))).all(), f"{what}: {found} instead of {reference}"
        assert not close.all(), f"{what} no longer loses digits: {loses}"


def write(name, about, cases, separators=None):
    """Writes a file of cases, one a line."""
    lines = ",\n".join(json.dumps(case, allow_nan=False, separators=separators) for case in cases)
    heads = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in about.items())
    (FOLDER / f"{name}.json").write_text(f'{{\n{heads}"cases": [\n{lines}\n]\n}}\n')
