"""Models behind a URL: what is said of them (``spec``), how they are asked (``http``), whose words they speak
(``adapters``), and the family that makes models of it (``family``)."""
