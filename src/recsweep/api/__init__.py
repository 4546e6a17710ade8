"""What `import recsweep` offers: each verb as a function, a study's folder as frames."""
