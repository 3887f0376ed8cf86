"""Runs and trainings at work: the engine, the processes that it lives in, and how they are steered."""
