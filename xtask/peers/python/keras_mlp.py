"""Keras: `python3 keras_mlp.py TASK BACKEND`, with jax, tensorflow or torch; see task.py.

As its tutorials write it: Sequential, compile, fit. Predictions are those of `predict_on_batch`, the fastest of its ways.
"""

import os
import sys
import time

import task

BACKEND = os.environ["KERAS_BACKEND"] = sys.argv[2]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if BACKEND == "torch":
    import torch

    torch.set_num_threads(task.TASK.threads)
elif BACKEND == "tensorflow":
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(task.TASK.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(task.TASK.threads)

import keras
import numpy as np
from keras import layers


class Rates(keras.optimizers.schedules.LearningRateSchedule):
    """A rate for each step."""

    def __init__(self, rates):
        self.rates = np.array(rates, np.float32)

    def __call__(self, step):
        return keras.ops.take(self.rates, keras.ops.cast(step, "int32"))


class Clock(keras.callbacks.Callback):
    def __init__(self, on_epoch):
        super().__init__()
        self.on_epoch = on_epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.start, self.end = time.perf_counter(), None

    def on_test_begin(self, logs=None):
        self.end = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = (self.end or time.perf_counter()) - self.start
        if self.on_epoch(seconds, lambda: float(logs["val_accuracy"])):
            self.model.stop_training = True


class Peer:
    def __init__(self, task, data):
        keras.utils.set_random_seed(task.seed)
        self.task, self.data = task, data
        self.model = keras.Sequential([keras.Input((784,))])
        for units in task.hidden:
            self.model.add(layers.Dense(units, activation="relu"))
            if task.dropout:
                self.model.add(layers.Dropout(task.dropout))
        self.model.add(layers.Dense(10, activation="softmax"))
        constant = task.warm_up is None
        rate = task.learning_rate if constant else Rates(task.rates(len(data.train_x)))
        self.model.compile(
            loss="sparse_categorical_crossentropy",
            optimizer=keras.optimizers.Adam(rate),
            metrics=["accuracy"],
        )

    def fit(self, epochs, on_epoch):
        data = self.data
        self.model.fit(
            data.train_x,
            data.train_y,
            batch_size=self.task.batch_size,
            epochs=epochs,
            verbose=0,
            callbacks=[Clock(on_epoch)],
            validation_data=(data.test_x, data.test_y) if self.task.task == "accuracy" else None,
            validation_batch_size=1000,
        )

    def predict(self, images):
        return np.asarray(self.model.predict_on_batch(images))


task.main(Peer)
