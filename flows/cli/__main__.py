"""`python -m flows.cli` is the luohu command."""

from flows.cli import app

app()
