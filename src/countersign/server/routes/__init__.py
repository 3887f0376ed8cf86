"""The routes, one module per noun. Each has a ``router``; ``app`` includes them all below ``/api/v1``."""
