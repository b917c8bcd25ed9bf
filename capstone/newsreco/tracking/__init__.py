"""Tracking: runs, the model registry and promotion, in MLflow."""
