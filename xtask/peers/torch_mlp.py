"""The tutorial's network in PyTorch, eager: 784-512-512-10, ReLU, dropout 0.2, Adam 0.001, batches of 128.

    python3 torch_mlp.py FOLDER THREADS EPOCHS

FOLDER holds the four uncompressed MNIST files. Prints one JSON object: images a second in each epoch but the first
(which warms up), the accuracy on the test set, and the peak memory in bytes. Images are converted to float32 once,
batches are gathered by index, and Adam is PyTorch's fused one: each is the fastest of the usual ways.
"""

import json
import os
import resource
import sys
import time

folder, threads, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)

import numpy as np
import torch
from torch import nn

torch.set_num_threads(threads)
torch.manual_seed(1)


def read(name, offset):
    return np.fromfile(os.path.join(folder, name), np.uint8, offset=offset)


def images(name):
    return torch.from_numpy(read(name, 16).reshape(-1, 784).astype(np.float32) / np.float32(255))


def labels(name):
    return torch.from_numpy(read(name, 8).astype(np.int64))


train_x, train_y = images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte")
test_x, test_y = images("t10k-images-idx3-ubyte"), labels("t10k-labels-idx1-ubyte")

model = nn.Sequential(
    nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(512, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
loss_of = nn.CrossEntropyLoss()

rates = []
for _ in range(epochs + 1):
    model.train()
    start = time.perf_counter()
    for batch in torch.randperm(len(train_x)).split(128):
        optimizer.zero_grad(set_to_none=True)
        loss_of(model(train_x[batch]), train_y[batch]).backward()
        optimizer.step()
    rates.append(len(train_x) / (time.perf_counter() - start))

model.eval()
with torch.inference_mode():
    accuracy = (model(test_x).argmax(1) == test_y).float().mean().item()
print(json.dumps({
    "name": f"PyTorch {torch.__version__}",
    "images_per_second": rates[1:],
    "test_accuracy": accuracy,
    "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
}))
