"""Trainings and evaluations in one process over and over: whether its memory grows."""
