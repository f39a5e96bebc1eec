"""Writes every reference: the JSON files beside this script.

    python -m venv reference-environment
    reference-environment/bin/pip install -r requirements.txt
    reference-environment/bin/python generate.py

Two runs write the same bytes. Files are written only once the libraries agree with the definitions.
"""

import activations
import confidence
import layers
import lbfgs
import losses
import metrics
import optimizers
import schedules
import training_run
import weights

for kind in (activations, losses, optimizers, schedules, metrics, confidence, weights, layers, lbfgs, training_run):
    kind.generate()
