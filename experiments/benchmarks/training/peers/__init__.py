"""Other programs' training loops, written as their users write them; they import nothing of this project.

Each is a program of its own, as their packages may need an environment of their own: ``python -m peers.numpyro JOB``,
called in the folder above, where JOB is a file that :mod:`obsvae.experiments.benchmarks.training.job` writes.
"""
