"""Imports of a worker process, done before anybody asks for them (see `cluster.py`)."""

import gc

gc.disable()  # to walk again and again through what is being imported takes a fifth of the time

import torch._dynamo  # noqa: E402, F401  torch's optimisers import it with their first step

import recsweep.search.worker  # noqa: E402, F401

# What libraries hold lives as long as the process: the collector needn't walk through it before the
# first trial, which took .3 s.
gc.freeze()
gc.enable()
