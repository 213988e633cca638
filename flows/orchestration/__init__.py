"""Prefect: the annual flow, its deployment and schedule, its settings; the only room that knows it."""
