"""JAX: `python3 jax_mlp.py TASK`; see task.py.

A whole epoch is one compiled scan over its batches, which is faster than a compiled step called from Python.
"""

import time
from functools import partial

import task

import jax
import jax.numpy as jnp
import numpy as np


def forward(parameters, x, dropout, key=None):
    for layer, (kernel, bias) in enumerate(parameters[:-1]):
        x = jax.nn.relu(x @ kernel + bias)
        if dropout and key is not None:
            kept = jax.random.bernoulli(jax.random.fold_in(key, layer), 1 - dropout, x.shape)
            x = jnp.where(kept, x / (1 - dropout), 0)
    kernel, bias = parameters[-1]
    return x @ kernel + bias


def loss(parameters, x, y, dropout, key):
    logarithms = jax.nn.log_softmax(forward(parameters, x, dropout, key))
    return -jnp.mean(jnp.take_along_axis(logarithms, y[:, None], 1))


def step(state, x, y, rate, dropout):
    """Adam, with the bias corrections in the rate."""
    parameters, first, second, count, key = state
    key, of_step = jax.random.split(key)
    gradients = jax.grad(loss)(parameters, x, y, dropout, of_step)
    count += 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    rate = rate * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    parameters = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), parameters, first, second)
    return parameters, first, second, count, key


@partial(jax.jit, static_argnames=("batch_size", "dropout"), donate_argnums=0)
def epoch(state, x, y, order, rates, batch_size, dropout):
    whole = len(order) // batch_size * batch_size

    def next_step(state, of_step):
        batch, rate = of_step
        return step(state, x[batch], y[batch], rate, dropout), None

    batches = order[:whole].reshape(-1, batch_size)
    state, _ = jax.lax.scan(next_step, state, (batches, rates[: len(batches)]))
    if whole < len(order):
        state = step(state, x[order[whole:]], y[order[whole:]], rates[-1], dropout)
    return state


class Peer:
    def __init__(self, task, data):
        self.batch_size, self.dropout = task.batch_size, task.dropout
        self.train_x, self.train_y = jnp.asarray(data.train_x), jnp.asarray(data.train_y)
        self.test_x, self.test_y = data.test_x, data.test_y
        self.random = np.random.default_rng(task.seed)
        key = jax.random.key(task.seed)
        sizes = [784, *task.hidden, 10]
        parameters = []
        for inputs, units in zip(sizes, sizes[1:]):
            key, of_layer = jax.random.split(key)
            kernel = jax.nn.initializers.glorot_uniform()(of_layer, (inputs, units))
            parameters.append((kernel, jnp.zeros(units)))
        zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
        self.state = (parameters, zeros(), zeros(), jnp.zeros(()), key)
        steps = task.steps_per_epoch(len(data.train_x))
        self.rates = iter(np.array(task.rates(len(data.train_x)), np.float32).reshape(-1, steps))
        self.scores = jax.jit(lambda parameters, x: forward(parameters, x, 0))

    def fit(self, epochs, on_epoch):
        for _ in range(epochs):
            start = time.perf_counter()
            order = self.random.permutation(len(self.train_x)).astype(np.int32)
            arguments = (self.train_x, self.train_y, order, next(self.rates), self.batch_size, self.dropout)
            self.state = jax.block_until_ready(epoch(self.state, *arguments))
            if on_epoch(time.perf_counter() - start, self.accuracy):
                return

    def accuracy(self):
        return float((self.predict(self.test_x).argmax(1) == self.test_y).mean())

    def predict(self, images):
        return np.asarray(self.scores(self.state[0], images))


task.main(Peer)
