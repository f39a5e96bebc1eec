"""A whole training run in Keras: 200 steps of Adam on the sample of MNIST, every loss and how far every weight went."""

import gzip

from common import FOLDER, keras, np, with_doubles, write
import tensorflow as tf

SAMPLE = FOLDER.parents[3] / "data" / "sample"
WIDTHS = [784, 32, 16, 10]
BATCH, STEPS = 64, 200
# Moves are written as whole numbers of this, a tenth of what the comparison allows: half the length of decimal doubles.
UNIT = 1e-10


def read(name, header):
    return np.frombuffer(gzip.decompress((SAMPLE / name).read_bytes()), np.uint8, offset=header)


def kernel(layer, inputs, units):
    """Multiples of a power of 2, so that they are the same in every arithmetic."""
    i, j = np.mgrid[:inputs, :units]
    return ((37 * i + 101 * j + 11 * layer) % 257 - 128) / (128 * [32, 8, 4][layer])


def flat(model):
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


def generate():
    images = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 784) / 255
    labels = read("train-labels-idx1-ubyte.gz", 8).astype(int)
    activations = ["relu", "relu", None]
    layers = [keras.layers.Dense(units, activation) for units, activation in zip(WIDTHS[1:], activations)]
    model = keras.Sequential([keras.Input((784,)), *layers])
    for index, layer in enumerate(layers):
        layer.set_weights([kernel(index, WIDTHS[index], WIDTHS[index + 1]), np.zeros(WIDTHS[index + 1])])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = with_doubles(keras.optimizers.Adam)
    initial = flat(model)
    losses = []
    for step in range(STEPS):
        samples = np.arange(step * BATCH, (step + 1) * BATCH) % len(images)
        with tf.GradientTape() as tape:
            value = loss(labels[samples], model(images[samples], training=True))
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(value, [weight.value for weight in weights]), weights)
        losses.append(float(value))
    moves = np.rint((flat(model) - initial) / UNIT).astype(int)
    about = {
        "network": "784-32-16-10, relu, relu, linear; SparseCategoricalCrossentropy(from_logits: true); Adam()",
        "kernels": "kernel l (0, 1, 2) from input i to unit j is"
        " ((37 i + 101 j + 11 l) mod 257 - 128) / (128 d) with d = 32, 8, 4; biases are 0",
        "data": "pixels / 255; batches of 64 training images in the order of the file, which begins anew after the last",
        "loss_before_step": "the mean over the batch, before the step that it leads to",
        "moves": f"what each weight is at the end less what it was at the beginning, in whole numbers of {UNIT};"
        " kernel, bias, kernel, bias, kernel, bias; kernels in Keras's order, the units of an input together",
        "unit": UNIT,
    }
    write("training_run", about, [{"loss_before_step": losses, "moves": moves.tolist()}], separators=(",", ":"))


if __name__ == "__main__":
    generate()
