"""Models behind one contract: what they can be asked (``contract``), which there are (``registry``)."""
