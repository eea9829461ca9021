"""Predictive checks and calibration."""
