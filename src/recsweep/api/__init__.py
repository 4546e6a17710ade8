"""What `import recsweep` offers: each verb as a function, a study's folder as frames."""

import warnings

# Of tqdm, which Optuna imports: in a notebook without widgets it could draw none of its bars.
warnings.filterwarnings("ignore", message="IProgress not found")
