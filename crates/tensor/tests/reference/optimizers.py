"""Parameters after steps of Keras 3's optimizers, in double precision, for tests/update.rs.

    pip install keras jax
    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python3 optimizers.py > optimizers.txt

optimizers.txt was made with Keras 3.15.1. A line is a case, a step counted from 1, and the parameters after it.
"""

import keras
import numpy as np

keras.config.set_floatx("float64")
opt = keras.optimizers

STEPS = 20
# The last parameter never has a gradient.
PARAMETERS = [1.0, -0.5, 2.0, -1.5, 0.75]


def gradient(step, index):
    """Multiples of 1/16, exact in both precisions; zeros among them, of very different sizes for different parameters."""
    if index == 4:
        return 0.0
    return ((7 * step * step + 13 * index + 5 * step * index) % 41 - 12) / 16 * [1.0, 0.0625, 8.0, 0.5][index]


CASES = {
    "sgd": lambda: opt.SGD(),
    "sgd momentum": lambda: opt.SGD(0.005, momentum=0.9),
    "sgd nesterov": lambda: opt.SGD(0.005, momentum=0.9, nesterov=True),
    "sgd weight_decay": lambda: opt.SGD(0.005, momentum=0.5, weight_decay=0.5),
    "rmsprop": lambda: opt.RMSprop(),
    "rmsprop momentum": lambda: opt.RMSprop(0.002, rho=0.8, momentum=0.5),
    "rmsprop centered": lambda: opt.RMSprop(0.002, rho=0.8, epsilon=1e-3, centered=True),
    "rmsprop momentum centered": lambda: opt.RMSprop(0.002, rho=0.8, momentum=0.5, epsilon=1e-3, centered=True),
    "rmsprop weight_decay": lambda: opt.RMSprop(weight_decay=0.5),
    "adagrad": lambda: opt.Adagrad(),
    "adagrad options": lambda: opt.Adagrad(0.01, initial_accumulator_value=0.5, epsilon=1e-3, weight_decay=0.1),
    "adadelta": lambda: opt.Adadelta(),
    "adadelta options": lambda: opt.Adadelta(1.0, rho=0.8, epsilon=1e-4, weight_decay=0.01),
    "adam": lambda: opt.Adam(),
    "adam options": lambda: opt.Adam(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3),
    "adam amsgrad": lambda: opt.Adam(0.002, beta_2=0.8, amsgrad=True),
    "adam amsgrad weight_decay": lambda: opt.AdamW(0.002, beta_2=0.8, amsgrad=True, weight_decay=0.1),
    "adamw": lambda: opt.AdamW(),
    "adamax": lambda: opt.Adamax(),
    "adamax options": lambda: opt.Adamax(0.01, beta_1=0.8, beta_2=0.9, epsilon=1e-3, weight_decay=0.1),
    "nadam": lambda: opt.Nadam(),
    "nadam options": lambda: opt.Nadam(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3, weight_decay=0.1),
    "ftrl": lambda: opt.Ftrl(),
    "ftrl beta": lambda: opt.Ftrl(0.02, initial_accumulator_value=0.5, beta=0.3),
    "ftrl regularization": lambda: opt.Ftrl(
        0.02, l1_regularization_strength=0.05, l2_regularization_strength=0.1,
        l2_shrinkage_regularization_strength=0.02, weight_decay=0.1,
    ),
    "ftrl power": lambda: opt.Ftrl(0.02, learning_rate_power=-0.75),
    "ftrl fixed rate": lambda: opt.Ftrl(0.02, learning_rate_power=0.0),
    "lion": lambda: opt.Lion(),
    "lion options": lambda: opt.Lion(0.002, beta_1=0.7, beta_2=0.8, weight_decay=0.1),
}

for name, make in CASES.items():
    optimizer = make()
    parameters = keras.Variable(np.array(PARAMETERS), dtype="float64")
    for step in range(1, STEPS + 1):
        optimizer.apply([np.array([gradient(step, index) for index in range(len(PARAMETERS))])], [parameters])
        if step in (1, 2, 3, 10, STEPS):
            values = " ".join(repr(float(value)) for value in np.array(parameters))
            print(f"{name} | {step} | {values}")
