"""The models folder: which weights are there, where they came from, whether they may be used, how they get there."""
