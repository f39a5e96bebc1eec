"""What the Python peers have in common: the task, MNIST, the clock, and the answer.

    python3 PEER.py TASK

TASK is JSON, and the answer a line of JSON on standard output; xtask/src/bench/task.rs says what both mean. Import this
before the library that is measured: it limits the threads.

A peer is a function of a task and the data that gives an object with

    fit(epochs, on_epoch)    trains; after each epoch calls on_epoch(seconds, accuracy), where accuracy is a function
                             that gives the accuracy on the test images, and stops if that says True
    predict(images)          an array of scores for an array of images, both in NumPy's memory
"""

import json
import os
import sys
import time


class Task:
    def __init__(self, text):
        self.__dict__.update(json.loads(text))

    def steps_per_epoch(self, images):
        return -(-images // self.batch_size)

    def rate(self, step, images):
        """The learning rate at a step, counted from 0: constant, or PyTorch's one-cycle policy in straight lines."""
        if self.warm_up is None:
            return self.learning_rate
        total = self.steps_per_epoch(images) * self.epochs
        peak = self.warm_up * total - 1
        first = self.learning_rate / 25
        if step <= peak:
            return first + (self.learning_rate - first) * step / peak
        last = first / 1e4
        share = min((step - peak) / (total - 1 - peak), 1)
        return self.learning_rate + (last - self.learning_rate) * share

    def rates(self, images):
        return [self.rate(step, images) for step in range(self.steps_per_epoch(images) * self.epochs)]


TASK = Task(sys.argv[1])
for name in ("OMP", "MKL", "OPENBLAS"):
    os.environ[name + "_NUM_THREADS"] = str(TASK.threads)
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np


class Data:
    """Images as float32 from 0 to 1, one a row, and labels as int32."""

    def __init__(self, folder):
        self.folder = folder
        self.train_x, self.train_y = self.images("train"), self.labels("train")
        self.test_x, self.test_y = self.images("t10k"), self.labels("t10k")

    def images(self, kind):
        pixels = np.fromfile(os.path.join(self.folder, kind + "-images-idx3-ubyte"), np.uint8, offset=16)
        return pixels.reshape(-1, 784).astype(np.float32) / np.float32(255)

    def labels(self, kind):
        path = os.path.join(self.folder, kind + "-labels-idx1-ubyte")
        return np.fromfile(path, np.uint8, offset=8).astype(np.int32)

    def first(self, images):
        self.train_x, self.train_y = self.train_x[:images], self.train_y[:images]


def training(peer, data):
    rates = []

    def on_epoch(seconds, accuracy):
        rates.append(len(data.train_x) / seconds)

    peer.fit(TASK.epochs, on_epoch)
    return {"images_per_second": rates[1:]}


def accuracy(peer, data):
    accuracies = []

    def on_epoch(seconds, accuracy):
        accuracies.append(accuracy())
        return accuracies[-1] >= TASK.target

    peer.fit(TASK.epochs, on_epoch)
    return {"test_accuracy": accuracies}


def inference(peer, data):
    """The batch size at which the peer is fastest counts."""
    peer.fit(1, lambda seconds, accuracy: None)
    best = []
    for size in (len(data.test_x), 1000):
        batches = [data.test_x[i : i + size] for i in range(0, len(data.test_x), size)]
        for batch in batches:
            peer.predict(batch)
        rates = []
        begin = time.perf_counter()
        while time.perf_counter() - begin < 1 or len(rates) < 5:
            start = time.perf_counter()
            for batch in batches:
                peer.predict(batch)
            rates.append(len(data.test_x) / (time.perf_counter() - start))
        best = max(best, rates, key=lambda rates: np.median(rates) if rates else 0)
    return {"images_per_second": best}


def latency(peer, data):
    """At most 5,000 calls, or as many as two seconds have."""
    peer.fit(1, lambda seconds, accuracy: None)
    images = [np.ascontiguousarray(image[None]) for image in data.test_x]
    for image in images[:200]:
        peer.predict(image)
    microseconds = []
    begin = time.perf_counter()
    for image in images[:5000]:
        start = time.perf_counter()
        peer.predict(image)
        microseconds.append(1e6 * (time.perf_counter() - start))
        if time.perf_counter() - begin > 2:
            break
    return {"microseconds": microseconds}


def main(make_peer):
    data = Data(TASK.data)
    if TASK.steps is not None:
        data.first(TASK.steps * TASK.batch_size)
    peer = make_peer(TASK, data)
    measure = {"training": training, "accuracy": accuracy, "inference": inference, "latency": latency}
    print(json.dumps(measure[TASK.task](peer, data)), flush=True)
