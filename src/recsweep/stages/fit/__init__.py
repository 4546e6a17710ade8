"""The verb `fit`: train a best configuration on all data and write a bundle."""
