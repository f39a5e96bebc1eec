"""Parameters after steps of every optimizer, with its defaults and with each option, in double precision.

They are Keras's, but for three:

- Nadam is its formula with an exact 0.96, which Keras casts by way of single precision; Keras's own values stand beside.
- Rprop, which Keras has not, is PyTorch's: where a sign turns it takes the gradient as 0, as iRPROP- does.
- ScheduleFreeAdamW is that of its authors (schedulefree, on PyTorch; Defazio and others, arXiv:2405.15682). On TensorFlow
  Keras averages with the new z where the old one is meant; it also weights all steps of a warm-up alike, and its weight
  decay moves only the point of the gradient.
"""

from mpmath import mpf, sqrt
import schedulefree
import torch

from common import compare, exact, keras, nearest, np, ron, with_doubles, write

STEPS = 20
SHOWN = [1, 2, 3, STEPS]
INPUTS, UNITS = 5, 4
COUNT = INPUTS * UNITS + UNITS
SIZES = [1.0, 0.0625, 8.0, 0.5, 0.001]


def initial(index):
    return (37 * index % 23 - 11) / 8


def gradient(step, index):
    """Zeros among them, and very different sizes for different parameters."""
    return ((7 * step * step + 13 * index + 5 * step * index) % 41 - 12) / 16 * SIZES[index % 5]


DECAY = ("ExponentialDecay", {"initial_learning_rate": 0.01, "decay_steps": 5, "decay_rate": 0.5, "staircase": True})
CASES = [
    ("Sgd", {}),
    ("Sgd", {"learning_rate": 0.1}),
    ("Sgd", {"momentum": 0.9}),
    ("Sgd", {"momentum": 0.9, "nesterov": True}),
    ("Sgd", {"momentum": 0.5, "weight_decay": 0.1}),
    ("Sgd", {"clipnorm": 1.0}),
    ("Sgd", {"clipvalue": 0.25}),
    ("Sgd", {"global_clipnorm": 1.0}),
    ("Sgd", {"use_ema": True}),
    ("Sgd", {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3}),
    ("Sgd", {"gradient_accumulation_steps": 3}),
    ("Sgd", {"learning_rate": DECAY}),
    ("Rmsprop", {}),
    ("Rmsprop", {"rho": 0.8, "epsilon": 1e-3}),
    ("Rmsprop", {"momentum": 0.5}),
    ("Rmsprop", {"centered": True}),
    ("Rmsprop", {"learning_rate": 0.01, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.01, "initial_accumulator_value": 0.5, "epsilon": 1e-3, "weight_decay": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-4}),
    ("Adadelta", {"learning_rate": 0.5, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}),
    ("Adam", {"beta_2": 0.8, "amsgrad": True}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"clipnorm": 1.0}),
    ("Adam", {"clipvalue": 0.25}),
    ("Adam", {"global_clipnorm": 1.0, "weight_decay": 0.1}),
    ("Adam", {"use_ema": True}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3}),
    ("Adam", {"gradient_accumulation_steps": 3}),
    ("Adam", {"gradient_accumulation_steps": 2, "global_clipnorm": 1.0, "weight_decay": 0.1}),
    ("Adam", {"learning_rate": DECAY, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1}),
    ("AdamW", {"weight_decay": 0.1, "amsgrad": True, "beta_2": 0.8}),
    ("Adamax", {}),
    ("Adamax", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    ("Adamax", {"learning_rate": 0.01, "weight_decay": 0.1}),
    ("Nadam", {}),
    ("Nadam", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}),
    ("Nadam", {"learning_rate": 0.01, "weight_decay": 0.1}),
    ("Ftrl", {}),
    ("Ftrl", {"learning_rate": 0.02, "initial_accumulator_value": 0.5, "beta": 0.3}),
    ("Ftrl", {"learning_rate": 0.02, "l1_regularization_strength": 0.05, "l2_regularization_strength": 0.1}),
    ("Ftrl", {"learning_rate": 0.02, "l2_shrinkage_regularization_strength": 0.02}),
    ("Ftrl", {"learning_rate": 0.02, "learning_rate_power": -0.75}),
    ("Ftrl", {"learning_rate": 0.02, "weight_decay": 0.1}),
    ("Lion", {}),
    ("Lion", {"learning_rate": 0.002, "beta_1": 0.7, "beta_2": 0.8, "weight_decay": 0.1}),
    ("Lamb", {}),
    ("Lamb", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3, "weight_decay": 0.1}),
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.5}),
    ("Adafactor", {"beta_2_decay": -0.5, "epsilon_1": 1e-3, "epsilon_2": 2.0, "clip_threshold": 0.5}),
    ("Adafactor", {"learning_rate": 0.5, "weight_decay": 0.1}),
    ("Muon", {}),
    ("Muon", {"learning_rate": 0.02, "momentum": 0.8, "nesterov": False, "ns_steps": 3, "weight_decay": 0.1}),
    ("Muon", {"adam_lr_ratio": 0.5, "adam_beta_1": 0.8, "adam_beta_2": 0.99, "adam_weight_decay": 0.1}),
    ("Muon", {"learning_rate": 0.02, "exclude_layers": ["kernel"], "epsilon": 1e-3}),
    ("Muon", {"learning_rate": 0.02, "rms_rate": 0.5}),
    ("Muon", {"learning_rate": 0.02, "rms_rate": None}),
    ("Muon", {"learning_rate": 0.02, "muon_a": 2.0, "muon_b": -1.5, "muon_c": 0.5}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.99, "warmup_steps": 5}),
    ("ScheduleFreeAdamW", {"weight_decay": 0.1}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.01, "epsilon": 1e-3}),
    ("Rprop", {}),
    ("Rprop", {"learning_rate": 0.1, "eta_minus": 0.25, "eta_plus": 1.5}),
    ("Rprop", {"learning_rate": 0.1, "smallest_step": 0.04, "largest_step": 0.2}),
    ("Rprop", {"learning_rate": 0.1, "weight_decay": 0.1}),
]
# Keras's names where ours are other ones.
NAMES = {"Sgd": "SGD", "Rmsprop": "RMSprop"}


def in_keras(name, arguments):
    if isinstance(arguments.get("learning_rate"), tuple):
        schedule, settings = arguments["learning_rate"]
        schedule = with_doubles(getattr(keras.optimizers.schedules, schedule), **settings)
        arguments = {**arguments, "learning_rate": schedule}
    return with_doubles(getattr(keras.optimizers, NAMES.get(name, name)), **arguments)


def description(name, arguments):
    return ron(name, {key: in_ron(value) for key, value in arguments.items()})


def in_ron(value):
    if isinstance(value, tuple):
        return ron(*value)
    return [f'"{text}"' for text in value] if isinstance(value, list) else "None" if value is None else value


def flat(variables):
    return [float(value) for variable in variables for value in keras.ops.convert_to_numpy(variable).ravel()]


def shaped(values):
    values = np.array(values)
    return [values[: INPUTS * UNITS].reshape(INPUTS, UNITS), values[INPUTS * UNITS :]]


def gradients(step):
    return shaped([gradient(step, index) for index in range(COUNT)])


def keras_steps(name, arguments):
    """Parameters by step, and their moving average at the end."""
    optimizer = in_keras(name, arguments)
    kernel, bias = shaped([initial(i) for i in range(COUNT)])
    parameters = [keras.Variable(kernel, dtype="float64", name="kernel"), keras.Variable(bias, dtype="float64", name="bias")]
    shown = {}
    for step in range(1, STEPS + 1):
        optimizer.apply(gradients(step), parameters)
        if step in SHOWN:
            shown[str(step)] = flat(parameters)
    average = {"average": flat(optimizer._model_variables_moving_average)} if optimizer.use_ema else {}
    return {"parameters": shown, **average}


def torch_steps(optimizer_of, before_step=lambda parameter: None):
    """The optimizer and its parameters after the last step, and the parameters by step."""
    parameters = [torch.tensor(value, requires_grad=True) for value in shaped([initial(i) for i in range(COUNT)])]
    optimizer = optimizer_of(parameters)
    shown = {}
    for step in range(1, STEPS + 1):
        for parameter, its_gradient in zip(parameters, gradients(step)):
            parameter.grad = torch.tensor(its_gradient)
            before_step(parameter.data)
        optimizer.step()
        if step in SHOWN:
            shown[str(step)] = flat_tensors(parameters)
    return optimizer, parameters, shown


def flat_tensors(parameters):
    return [value for parameter in parameters for value in parameter.detach().ravel().tolist()]


def rprop_steps(
    learning_rate=0.01, eta_minus=0.5, eta_plus=1.2, smallest_step=1e-6, largest_step=50.0, weight_decay=0.0
):
    """PyTorch's has no weight decay; it is the decoupled one of all others."""
    options = {"etas": (eta_minus, eta_plus), "step_sizes": (smallest_step, largest_step), "foreach": False}
    *_, shown = torch_steps(
        lambda parameters: torch.optim.Rprop(parameters, learning_rate, **options),
        lambda parameter: parameter.mul_(1 - learning_rate * weight_decay),
    )
    return {"parameters": shown}


def schedule_free_steps(learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0, weight_decay=0.0):
    """Each step is taken at y; the network that is kept is x, the average."""
    def in_training(parameters):
        optimizer = schedulefree.AdamWScheduleFree(
            parameters, learning_rate, (beta_1, beta_2), epsilon, weight_decay, warmup_steps, foreach=False
        )
        optimizer.train()
        return optimizer

    optimizer, parameters, shown = torch_steps(in_training)
    optimizer.eval()
    return {"parameters": shown, "average": flat_tensors(parameters)}


def nadam_steps(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=0.0):
    """T. Dozat, "Incorporating Nesterov momentum into Adam" (2016), with the momentum's schedule of Keras and PyTorch."""
    learning_rate, beta_1, beta_2, epsilon, weight_decay = map(mpf, (learning_rate, beta_1, beta_2, epsilon, weight_decay))
    momentum = lambda step: beta_1 * (1 - mpf("0.96") ** step / 2)
    w = exact([initial(index) for index in range(COUNT)])
    m = v = w * 0
    product = mpf(1)
    shown = {}
    for step in range(1, STEPS + 1):
        g = exact([gradient(step, index) for index in range(COUNT)])
        w = w - w * weight_decay * learning_rate
        product *= momentum(step)
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
        ahead = momentum(step + 1) * m / (1 - product * momentum(step + 1)) + (1 - momentum(step)) * g / (1 - product)
        w = w - learning_rate * ahead / (np.frompyfunc(sqrt, 1, 1)(v / (1 - beta_2**step)) + epsilon)
        if step in SHOWN:
            shown[str(step)] = nearest(w)
    return shown


def nadam_case(**arguments):
    exact_steps, steps = nadam_steps(**arguments), keras_steps("Nadam", arguments)["parameters"]
    for step, values in exact_steps.items():
        loses = "0.96 is cast by way of 32 bits"
        compare(f"Nadam at {step}", steps[step], values, relative=1e-12, loses=loses, most=1e-8)
    return {"parameters": exact_steps, "keras": steps}


def case(name, arguments):
    others = {"Nadam": nadam_case, "Rprop": rprop_steps, "ScheduleFreeAdamW": schedule_free_steps}
    steps = others[name](**arguments) if name in others else keras_steps(name, arguments)
    return {"description": description(name, arguments), **steps}


def check_adam():
    """That Keras was given doubles everywhere: Adam's formula gives the same."""
    first = second = 0.0
    w = np.array([initial(index) for index in range(COUNT)])
    for step in range(1, STEPS + 1):
        g = np.array([gradient(step, index) for index in range(COUNT)])
        first, second = 0.9 * first + (1 - 0.9) * g, 0.999 * second + (1 - 0.999) * g * g
        w -= 0.001 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * first / (np.sqrt(second) + 1e-7)
    compare("Adam()", keras_steps("Adam", {})["parameters"][str(STEPS)], w.tolist(), relative=1e-13)


ABOUT = {
    "parameters": "by step, counted from 1: the kernel of 5 inputs and 4 units in Keras's order (the 4 units of an input"
    " together), then the bias of 4; a parameter's index is its place in this list",
    "keras": "the same in Keras, where the parameters are not Keras's own",
    "average": "the moving average after the last step, where there is one;"
    " of ScheduleFreeAdamW it is the x, while the parameters are the y",
    "initial": [initial(index) for index in range(COUNT)],
    "gradients": [[gradient(step, index) for index in range(COUNT)] for step in range(1, STEPS + 1)],
}


def generate():
    check_adam()
    write("optimizers", ABOUT, [case(*described) for described in CASES])


if __name__ == "__main__":
    generate()
