"""Models behind a URL over the server: their life, and that a secret never comes back."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from countersign.server.app import make_app
from countersign.server.settings import Settings
from countersign.workbench.workspace import open_workspace
from model_servers import Reply, serving

BOXES = json.dumps([{"box": [1, 1, 5, 6], "label": "cat", "score": 0.5}]).encode()


@pytest.mark.parametrize("allowed", [True, False])
def test_life(tmp_path: Path, allowed: bool) -> None:
    with open_workspace(tmp_path / "ws") as workspace, serving(lambda _: Reply(BOXES)) as server:
        app = make_app(workspace, Settings(allow_paths=allowed))
        headers = {"authorization": f"Bearer {app.state.parts.keys.token}"}
        with TestClient(app, base_url="http://127.0.0.1:8321", headers=headers) as http:
            base = "/api/v1/remote-models"
            spec = {"url": server.url, "contract": "plain", "tasks": ["detection"], "secret": "Bearer hush-hush"}
            made = http.post(base, json={"name": "m", "spec": spec})
            assert made.status_code == 201, made.text
            assert made.json()["reference"] == "remote:m"
            assert http.post(base, json={"name": "m", "spec": spec}).status_code == 409
            assert http.post(base, json={"name": "n", "spec": {"url": "ftp://x"}}).status_code == 422
            named = http.post(base, json={"name": "n", "spec": spec | {"secret": "", "secret_env": "COUNTERSIGN_X"}})
            assert named.status_code == (201 if allowed else 422)
            moved = http.patch(f"{base}/m", json={"name": "k", "spec": {"timeout_s": 5}})
            assert moved.json()["spec"]["timeout_s"] == 5
            assert moved.json()["spec"]["has_secret"]
            assert http.post(f"{base}/k/test", json={}).json()["predictions"] is None
            pixels = BytesIO()
            Image.new("RGB", (8, 8)).save(pixels, "PNG")
            files = {"file": ("../a.png", pixels.getvalue())}
            assert http.post(f"{base}/k/test-file", files=files).status_code == 422
            tried = http.post(f"{base}/k/test-file", files={"file": ("a.png", pixels.getvalue())})
            assert [each["class_name"] for each in tried.json()["predictions"]] == ["cat"]
            wrong = http.post(f"{base}/k/test-file", files={"file": ("b.png", b"no image")})
            assert wrong.status_code == 422
            assert "b.png" in wrong.json()["detail"]
            away = http.patch(f"{base}/k", json={"spec": {"url": "http://127.0.0.1:9"}})
            assert not away.json()["spec"]["has_secret"]
            shown = http.get(base).text + made.text + moved.text
            assert "hush" not in shown
            assert http.delete(f"{base}/k").status_code == 204
            assert http.get(f"{base}/k").status_code == 404
