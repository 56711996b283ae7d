"""Figures from stored features: k-NN, linear, retrieval, zero-shot and others."""
