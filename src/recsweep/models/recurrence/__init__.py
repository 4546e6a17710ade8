"""Layers of recurrent networks for the CPU: forward and backward written by hand."""
