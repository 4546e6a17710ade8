"""The verb `reproduce`: rebuild a best configuration and check every figure."""
