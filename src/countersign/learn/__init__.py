"""Learning from labels: fit a network to verified labels, save it, predict with it.

``settings`` and ``events`` cost nothing to import; everything else imports torch. The database, files of images and
processes are not known here: whoever calls brings images as arrays and labels as values of the domain.
"""

import os

# Threads of torch wait for each other by spinning unless told otherwise before torch is loaded. Beside any other busy
# process that costs most of the time: 4.4 s a step instead of 1.4 s, on two cores that others used too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
