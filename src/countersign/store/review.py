"""Review records: everything that a review asks the store. One import for the four modules that answer.

Every function takes a connection and the id of the field under review; filters of labels and of images are the same
for all of them.
"""

from countersign.store.review_approval import adopt, approve
from countersign.store.review_counts import histogram, stats
from countersign.store.review_pages import page_images, page_labels
from countersign.store.review_verdicts import edit, edit_many, promote, reject, restore, undo_promotion

__all__ = [
    "adopt",
    "approve",
    "edit",
    "edit_many",
    "histogram",
    "page_images",
    "page_labels",
    "promote",
    "reject",
    "restore",
    "stats",
    "undo_promotion",
]
