"""Print the JSON schema of a description: ``python -m countersign.models.onnx.schema``."""

from __future__ import annotations

import json
import sys

from countersign.models.onnx import description

if __name__ == "__main__":
    sys.stdout.write(json.dumps(description.schema(), indent=1) + "\n")
