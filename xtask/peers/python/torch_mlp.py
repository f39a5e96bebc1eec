"""PyTorch, eager or compiled: `python3 torch_mlp.py TASK [compile]`; see task.py.

Images are converted to float32 once, batches are gathered by index, and Adam is PyTorch's fused one: each is the fastest
of the usual ways.
"""

import sys
import time

import task

import torch
from torch import nn

COMPILED = sys.argv[2:] == ["compile"]


class Peer:
    def __init__(self, task, data):
        torch.set_num_threads(task.threads)
        torch.manual_seed(task.seed)
        self.batch_size = task.batch_size
        self.train_x, self.train_y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y).long()
        self.test_x, self.test_y = torch.from_numpy(data.test_x), torch.from_numpy(data.test_y)
        layers, inputs = [], 784
        for units in task.hidden:
            layers += [nn.Linear(inputs, units), nn.ReLU()]
            if task.dropout:
                layers.append(nn.Dropout(task.dropout))
            inputs = units
        self.model = nn.Sequential(*layers, nn.Linear(inputs, 10))
        self.optimizer = torch.optim.Adam(self.model.parameters(), fused=True)
        self.rates = iter(task.rates(len(self.train_x)))
        self.loss = nn.CrossEntropyLoss()
        self.forward, self.loss_of = self.model, self.loss_of_batch
        if COMPILED:
            self.forward, self.loss_of = torch.compile(self.model), torch.compile(self.loss_of_batch)

    def loss_of_batch(self, images, labels):
        return self.loss(self.model(images), labels)

    def fit(self, epochs, on_epoch):
        for _ in range(epochs):
            self.model.train()
            start = time.perf_counter()
            for batch in torch.randperm(len(self.train_x)).split(self.batch_size):
                self.optimizer.param_groups[0]["lr"] = next(self.rates)
                self.optimizer.zero_grad(set_to_none=True)
                self.loss_of(self.train_x[batch], self.train_y[batch]).backward()
                self.optimizer.step()
            seconds = time.perf_counter() - start
            self.model.eval()
            if on_epoch(seconds, self.accuracy):
                return

    def accuracy(self):
        with torch.inference_mode():
            return (self.model(self.test_x).argmax(1) == self.test_y).float().mean().item()

    def predict(self, images):
        with torch.inference_mode():
            return self.forward(torch.from_numpy(images)).numpy()


task.main(Peer)
