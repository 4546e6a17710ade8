"""The name of the arithmetic that models are trained with."""

ENGINE = "torch-eager-1"
"""In every record. Its number goes up with a change that moves last bits: another order
of sums in a layer, a loss or an optimiser. Where it differs, `reproduce` allows for the spread of
seeds.
"""
