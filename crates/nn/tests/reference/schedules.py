"""Learning-rate schedules: the rate at chosen steps, counted from 0.

Keras computes them in single precision even where everything else is double, unless it is given doubles of NumPy.
"""

from mpmath import cos, floor, ceil, log, mpf, pi

from common import compare, keras, nearest, np, ron, with_doubles, write
import torch

S = keras.optimizers.schedules


def exponential_decay(step, initial_learning_rate, decay_steps, decay_rate, staircase=False):
    return initial_learning_rate * decay_rate ** passed(step, decay_steps, staircase)


def inverse_time_decay(step, initial_learning_rate, decay_steps, decay_rate, staircase=False):
    return initial_learning_rate / (1 + decay_rate * passed(step, decay_steps, staircase))


def passed(step, decay_steps, staircase):
    return floor(step / decay_steps) if staircase else step / decay_steps


def piecewise_constant_decay(step, boundaries, values):
    """A boundary is the last step of the value before it."""
    return values[sum(step > boundary for boundary in boundaries)]


def polynomial_decay(step, initial_learning_rate, decay_steps, end_learning_rate=mpf(0.0001), power=mpf(1), cycle=False):
    if cycle:
        decay_steps *= max(ceil(step / decay_steps), 1)
    share = 1 - min(step, decay_steps) / decay_steps
    return (initial_learning_rate - end_learning_rate) * share**power + end_learning_rate


def falling_cosine(share):
    return (1 + cos(pi * share)) / 2


def cosine_decay(step, initial_learning_rate, decay_steps, alpha=mpf(0), warmup_target=None, warmup_steps=mpf(0)):
    """Loshchilov and Hutter, arXiv:1608.03983, equation 5 without restarts; linear up to the target before."""
    if warmup_target is not None and step < warmup_steps:
        return initial_learning_rate + (warmup_target - initial_learning_rate) * step / warmup_steps
    top = initial_learning_rate if warmup_target is None else warmup_target
    begun = mpf(0) if warmup_target is None else warmup_steps
    share = min(step - begun, decay_steps) / decay_steps
    return top * ((1 - alpha) * falling_cosine(share) + alpha)


def cosine_decay_restarts(
    step, initial_learning_rate, first_decay_steps, t_mul=mpf(2), m_mul=mpf(1), alpha=mpf(0), warmup_target=None,
    warmup_steps=mpf(0),
):
    """Loshchilov and Hutter, equation 5: each period is t_mul times as long, and m_mul as high, as the one before.

    The warm-up, which Keras's has not, is that of a single decay, and the first period begins at its end.
    """
    if warmup_target is not None and step < warmup_steps:
        return initial_learning_rate + (warmup_target - initial_learning_rate) * step / warmup_steps
    top, step = (initial_learning_rate, step) if warmup_target is None else (warmup_target, step - warmup_steps)
    period, restarts = first_decay_steps, 0
    while step >= period:
        step, period, restarts = step - period, period * t_mul, restarts + 1
    return top * ((1 - alpha) * m_mul**restarts * falling_cosine(step / period) + alpha)


def one_cycle(
    step, max_learning_rate, total_steps, pct_start=mpf(0.3), anneal_strategy="Cos", div_factor=mpf(25),
    final_div_factor=mpf(10000), three_phase=False,
):
    """Smith and Topin, arXiv:1708.07120, as PyTorch has it: the ends of the phases are steps, and not whole ones.

    Up from max/div_factor, down to it again if there are three phases, and down to that divided by final_div_factor.
    """
    low = max_learning_rate / div_factor
    peak = pct_start * total_steps - 1
    points = [(mpf(0), low), (peak, max_learning_rate), (total_steps - 1, low / final_div_factor)]
    if three_phase:
        points.insert(2, (2 * peak, low))
    for (begin, first), (end, last) in zip(points, points[1:]):
        if step <= end:
            share = (step - begin) / (end - begin)
            return last + (first - last) * (1 - share if anneal_strategy == "Linear" else falling_cosine(share))


FUNCTIONS = {
    "ExponentialDecay": exponential_decay,
    "InverseTimeDecay": inverse_time_decay,
    "PiecewiseConstantDecay": piecewise_constant_decay,
    "PolynomialDecay": polynomial_decay,
    "CosineDecay": cosine_decay,
    "CosineDecayRestarts": cosine_decay_restarts,
    "OneCycle": one_cycle,
}

RATE_100 = {"initial_learning_rate": 0.1, "decay_steps": 100}
RESTARTS = {"initial_learning_rate": 0.1, "first_decay_steps": 50}
CASES = [
    ("ExponentialDecay", {**RATE_100, "decay_rate": 0.96}),
    ("ExponentialDecay", {**RATE_100, "decay_rate": 0.96, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [99, 250], "values": [0.1, 0.05, 0.001]}),
    ("PolynomialDecay", RATE_100),
    ("PolynomialDecay", {**RATE_100, "end_learning_rate": 0.01, "power": 2.0}),
    ("PolynomialDecay", {**RATE_100, "end_learning_rate": 0.01, "power": 0.5, "cycle": True}),
    ("InverseTimeDecay", {**RATE_100, "decay_rate": 0.5}),
    ("InverseTimeDecay", {**RATE_100, "decay_rate": 0.5, "staircase": True}),
    ("CosineDecay", RATE_100),
    ("CosineDecay", {**RATE_100, "alpha": 0.1}),
    ("CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 100, "warmup_target": 0.1, "warmup_steps": 50}),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.01, "decay_steps": 150, "alpha": 0.1, "warmup_target": 0.2, "warmup_steps": 99},
    ),
    ("CosineDecayRestarts", RESTARTS),
    ("CosineDecayRestarts", {**RESTARTS, "t_mul": 1.0, "m_mul": 0.8}),
    ("CosineDecayRestarts", {**RESTARTS, "t_mul": 1.5, "m_mul": 0.9, "alpha": 0.1}),
    ("CosineDecayRestarts", {**RESTARTS, "warmup_target": 0.2, "warmup_steps": 50}),
    (
        "CosineDecayRestarts",
        {**RESTARTS, "initial_learning_rate": 0.01, "t_mul": 1.0, "m_mul": 0.8, "alpha": 0.1, "warmup_target": 0.2,
         "warmup_steps": 49},
    ),
    ("OneCycle", {"max_learning_rate": 0.1, "total_steps": 301}),
    ("OneCycle", {"max_learning_rate": 0.1, "total_steps": 301, "anneal_strategy": "Linear"}),
    (
        "OneCycle",
        {"max_learning_rate": 0.1, "total_steps": 301, "pct_start": 0.25, "div_factor": 10.0, "final_div_factor": 100.0},
    ),
    ("OneCycle", {"max_learning_rate": 0.1, "total_steps": 301, "three_phase": True}),
]
STEPS = [0, 1, 10, 49, 50, 51, 74, 75, 76, 89, 90, 98, 99, 100, 101, 149, 150, 151, 178, 199, 200, 249, 250, 251, 299, 300]


def exact_argument(value):
    if isinstance(value, list):
        return [mpf(item) for item in value]
    return value if isinstance(value, (bool, str)) else mpf(value)


def case(name, arguments):
    exact_arguments = {key: exact_argument(value) for key, value in arguments.items()}
    rates = [FUNCTIONS[name](mpf(step), **exact_arguments) for step in STEPS]
    found = in_torch(**arguments) if name == "OneCycle" else in_keras(name, arguments)
    compare(ron(name, arguments), found, rates, absolute=1e-17)
    return {"description": ron(name, arguments), "steps": STEPS, "learning_rates": nearest(rates)}


def in_keras(name, arguments):
    if name == "PiecewiseConstantDecay":
        arguments = {**arguments, "values": [np.float64(value) for value in arguments["values"]]}
    if name == "CosineDecayRestarts" and "warmup_target" in arguments:
        return warmed_up(**arguments)
    schedule = with_doubles(getattr(S, name), **arguments)
    return [float(schedule(step)) for step in STEPS]


def warmed_up(warmup_target, warmup_steps, **arguments):
    """Keras's two schedules one after the other: the warm-up of the one, then the other from the target on."""
    rise = {"initial_learning_rate": arguments["initial_learning_rate"], "decay_steps": 1}
    rise = with_doubles(S.CosineDecay, warmup_target=float(warmup_target), warmup_steps=warmup_steps, **rise)
    restarts = with_doubles(S.CosineDecayRestarts, **{**arguments, "initial_learning_rate": float(warmup_target)})
    return [float(rise(step) if step < warmup_steps else restarts(step - warmup_steps)) for step in STEPS]


def in_torch(max_learning_rate, anneal_strategy="Cos", **arguments):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_learning_rate, anneal_strategy=anneal_strategy.lower(), **arguments
    )
    rates = []
    for _ in range(STEPS[-1] + 1):
        rates.append(schedule.get_last_lr()[0])
        if len(rates) <= STEPS[-1]:
            optimizer.step()
            schedule.step()
    return [rates[step] for step in STEPS]


def generate():
    about = {"learning_rates": "at each of the steps, counted from 0"}
    write("schedules", about, [case(*described) for described in CASES])


if __name__ == "__main__":
    generate()
