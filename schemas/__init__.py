"""Feeds as delivered and results as published, as pandera models."""
