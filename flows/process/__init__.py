"""The annual process."""
