"""Training in bfloat16 on the CPU: kernels of our own, and how they are compiled and called."""
