"""Learning from labels: fit a network to verified labels, save it, predict with it.

``settings`` and ``events`` cost nothing to import; everything else imports torch. The database, files of images and
processes are not known here: whoever calls brings images as arrays and labels as values of the domain.
"""
