"""The verb `init`: looks at a log and its tables, and writes an experiment that reads them."""
