"""Label Studio's ML backend in an environment of its own: its server is old, and its pins fit nothing else.

``python tests/label_studio_backend.py`` builds the environment (some 60 MB to download); the tests that ask the
real server use it where it is, and are skipped where it is not. Started with ``serve PORT FOLDER`` by the
environment's own Python, it serves a model that finds what is bright. All that is installed is Apache-2.0, MIT or BSD.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

PLACE = Path(__file__).parents[1] / ".pytest_cache" / "label-studio-ml"
_PACKAGES = ("label-studio-ml==1.0.9", "rq<2", "redis<6", "numpy", "pillow")
# Its encoder of brushes alone is wanted, not the machinery for tables and texts that it asks for.
_WITHOUT_MORE = ("label-studio-converter==0.0.59",)


def python(place: Path = PLACE) -> Path | None:
    """Return the Python of the environment, None where it is not (or not wholly) built."""
    found = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    return found if (place / "complete").exists() and found.exists() else None


def build(place: Path = PLACE) -> None:
    """Make the environment. Needs a network."""
    venv.create(place, with_pip=True, clear=True)
    pip = [
        str(place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")),
        "-m",
        "pip",
        "install",
        "-q",
    ]
    subprocess.run([*pip, *_PACKAGES], check=True)
    subprocess.run([*pip, "--no-deps", *_WITHOUT_MORE], check=True)
    (place / "complete").touch()


def serve(port: int, folder: str) -> None:
    """Serve. Runs in the environment: nothing of Countersign is there."""
    import base64
    import io

    import numpy as np  # type: ignore[import-not-found, unused-ignore]
    from label_studio_converter import brush  # type: ignore[import-not-found, unused-ignore]
    from label_studio_ml.api import init_app  # type: ignore[import-not-found, unused-ignore]
    from label_studio_ml.model import LabelStudioMLBase  # type: ignore[import-not-found, unused-ignore]
    from PIL import Image

    class Bright(LabelStudioMLBase):  # type: ignore[misc, unused-ignore]
        """Tells the bright pixels in all the ways that the labelling configuration asks for."""

        def predict(self, tasks, **more):  # type: ignore[no-untyped-def, unused-ignore]
            if more.get("refuse"):
                raise ValueError("refused, as it was asked to")
            return [self._one(task["data"]["image"]) for task in tasks]

        def _one(self, url):  # type: ignore[no-untyped-def, unused-ignore]
            image = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")
            bright = np.asarray(image) > 128
            rows, columns = np.nonzero(bright)
            if not len(rows):
                return {"result": [], "score": 0.0}
            ((name, told),) = self.parsed_label_config.items()
            kind, label = told["type"].lower(), told["labels"][0]
            height, width = bright.shape
            x, y = 100 * columns.min() / width, 100 * rows.min() / height
            right, low = 100 * (columns.max() + 1) / width, 100 * (rows.max() + 1) / height
            value = {
                "rectanglelabels": {"x": x, "y": y, "width": right - x, "height": low - y, "rotation": 0},
                "polygonlabels": {"points": [[x, y], [right, y], [right, low], [x, low]]},
                "brushlabels": {"format": "rle", "rle": brush.mask2rle(bright.astype(np.uint8) * 255)},
                "keypointlabels": {"x": x, "y": y, "width": 1},
                "choices": {},
            }[kind]
            region = {"from_name": name, "to_name": told["to_name"][0], "type": kind, "value": {**value, kind: [label]}}
            return {"result": [region], "score": 0.75}

    init_app(Bright, model_dir=folder).run(host="127.0.0.1", port=port, debug=False)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]), sys.argv[3])
    else:
        build()
        print(f"The environment is in {PLACE}.")
