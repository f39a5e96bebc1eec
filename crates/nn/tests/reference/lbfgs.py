"""What L-BFGS has to reach: the least losses of two small convex problems, and where they are.

Both losses are strictly convex by their penalty, so there is one minimum. Newton's method finds it in 50 digits; SciPy's
L-BFGS-B and PyTorch's L-BFGS with strong Wolfe conditions, which are given the formula in doubles, have to end there too.
"""

from mpmath import exp, log, lu_solve, matrix, mp, mpf
from scipy.optimize import minimize
import torch

from common import compare, exact, nearest, np, write

INPUTS, SAMPLES, L2 = 3, 12, 0.01
FEATURES = [[((37 * sample + 11 * feature) % 23 - 11) / 8 for feature in range(INPUTS)] for sample in range(SAMPLES)]
LABELS = [(sample * sample + sample // 4) % 3 for sample in range(SAMPLES)]
TARGETS = [[((13 * sample + 7 * output) % 17 - 8) / 4 for output in range(2)] for sample in range(SAMPLES)]
# Loss, outputs, targets.
PROBLEMS = [("CategoricalCrossentropy(from_logits: true)", 3, np.eye(3)[LABELS]), ("MeanSquaredError", 2, np.array(TARGETS))]


def with_ones(features):
    """The last row of the weights is the bias."""
    return np.concatenate([features, np.ones((SAMPLES, 1), dtype=features.dtype)], axis=1)


def loss_and_gradient(name, x, targets, w, logarithm, power):
    """The mean over the samples plus L2 times the sum of all squares, of the biases too; the gradient's shape is w's."""
    z = x @ w
    penalty = L2 * (w * w).sum()
    if name == "MeanSquaredError":
        error = z - targets
        return (error * error).sum() / z.size + penalty, 2 * x.T @ error / z.size + 2 * L2 * w
    powers = power(z)
    sums = powers.sum(axis=1, keepdims=True)
    loss = (logarithm(sums) - (z * targets).sum(axis=1, keepdims=True)).sum() / SAMPLES
    return loss + penalty, x.T @ (powers / sums - targets) / SAMPLES + 2 * L2 * w


def hessian(name, x, w, power):
    """Of the weights as one vector, row after row."""
    outputs = w.shape[1]
    size = w.size
    h = np.array([[mpf(0)] * size for _ in range(size)])
    shares = power(x @ w)
    shares = shares / shares.sum(axis=1, keepdims=True)
    for sample in range(SAMPLES):
        p = shares[sample]
        block = np.diag(p) - np.outer(p, p)
        if name == "MeanSquaredError":
            block = np.diag([mpf(2) / outputs] * outputs)
        h = h + np.kron(np.outer(x[sample], x[sample]), block) / SAMPLES
    return h + np.diag([2 * mpf(L2)] * size)


def newton(name, outputs, targets):
    """Full steps from 0 are enough for so little data; the last one moves nothing within 50 digits."""
    power, logarithm = (np.frompyfunc(function, 1, 1) for function in (exp, log))
    x, targets = exact(with_ones(np.array(FEATURES))), exact(targets)
    w = exact(np.zeros((INPUTS + 1, outputs)))
    for _ in range(40):
        loss, slope = loss_and_gradient(name, x, targets, w, logarithm, power)
        step = lu_solve(matrix(hessian(name, x, w, power).tolist()), matrix(list(slope.ravel())))
        w = w - np.array(list(step)).reshape(w.shape)
        if max(abs(value) for value in step) < mpf(10) ** -45:
            return loss, w
    raise AssertionError(f"{name}: no minimum")


def in_scipy(name, outputs, targets):
    x = with_ones(np.array(FEATURES))

    def function(w):
        loss, slope = loss_and_gradient(name, x, targets, w.reshape(-1, outputs), np.log, np.exp)
        return loss, slope.ravel()

    options = {"ftol": 0, "gtol": 1e-12, "maxiter": 1000}
    found = minimize(function, np.zeros((INPUTS + 1) * outputs), jac=True, method="L-BFGS-B", options=options)
    return found.fun, found.x


def in_torch(name, outputs, targets):
    x, targets = torch.tensor(with_ones(np.array(FEATURES))), torch.tensor(targets)
    w = torch.zeros(INPUTS + 1, outputs, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        data = torch.nn.MSELoss() if name == "MeanSquaredError" else torch.nn.CrossEntropyLoss()
        loss = data(x @ w, targets) + L2 * (w * w).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return closure().item(), w.detach().ravel().numpy()


def case(name, outputs, targets):
    with mp.workdps(50):
        loss, w = newton(name, outputs, targets)
    for library in (in_scipy, in_torch):
        found, weights = library(name, outputs, targets)
        compare(f"{name} by {library.__name__}", found, loss, relative=0, absolute=1e-10)
        compare(f"weights of {name} by {library.__name__}", weights, w.ravel(), relative=0, absolute=1e-6)
    kernel, bias = nearest(w[:INPUTS]), nearest(w[INPUTS])
    return {"loss": name, "targets": targets.tolist(), "least_loss": nearest(loss), "kernel": kernel, "bias": bias}


ABOUT = {
    "features": FEATURES,
    "l2": L2,
    "least_loss": "the mean over all samples, plus l2 times the sum of the squares of kernel and bias",
    "kernel": "a list for each input",
}


def generate():
    write("lbfgs", ABOUT, [case(*problem) for problem in PROBLEMS])


if __name__ == "__main__":
    generate()
