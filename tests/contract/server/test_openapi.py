"""The OpenAPI document: complete, the same every time, and no request that it allows (or not) makes the server fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import shapes
from countersign.domain.geometry import Box
from countersign.domain.label import Label
from countersign.server.app import bare_app
from countersign.server.openapi import TAGS, text
from countersign.workbench.workspace import open_workspace

DOCUMENT = bare_app().openapi()
OPERATIONS = {operation["operationId"]: operation for item in DOCUMENT["paths"].values() for operation in item.values()}
ROOT = Path(__file__).parents[3]


def test_same_bytes_every_time() -> None:
    assert text(bare_app().openapi()) == text(DOCUMENT)


def test_committed_copy_is_fresh() -> None:
    copy = ROOT / "web" / "openapi.json"
    if not copy.exists():
        pytest.skip("there is no copy for the user interface")
    if copy.read_text() != text(DOCUMENT):
        pytest.fail(
            "web/openapi.json is old: python -m countersign.server.openapi > web/openapi.json, then npm run api"
        )


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_operation_is_described(name: str) -> None:
    operation = OPERATIONS[name]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
    assert operation["description"].strip()
    assert operation["tags"][-1] in dict(TAGS)
    assert all(parameter.get("description") for parameter in operation.get("parameters", ()))
    problems = [answer for status, answer in operation["responses"].items() if status > "400"]  # 400 is no HTTP
    assert problems
    for answer in problems:
        assert list(answer["content"]) == ["application/problem+json"]


def test_schemas_are_described() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if not name.startswith("Body_"):
            assert schema.get("description"), name


def test_references_lead_somewhere() -> None:
    known = DOCUMENT["components"]["schemas"]
    for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)):
        assert name in known


@contextmanager
def _serving(folder: Path) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "countersign", "serve", "--no-browser", "--port", "0", "--json", "-w", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        while not said.rstrip().endswith("}"):
            said += process.stdout.readline()
        try:
            yield json.loads(said)
        finally:
            process.terminate()
            process.communicate()


@pytest.mark.slow
def test_no_request_makes_the_server_fail(tmp_path: Path) -> None:
    """Hundreds of requests that the document allows, and as many that it does not; none may end in a 5xx."""
    shapes.write_yolo(tmp_path / "pictures", 6, labelled=4)
    with open_workspace(tmp_path / "workspace", user="anna") as workspace:
        project = workspace.create_project("shapes")
        project.import_path(tmp_path / "pictures")
        project.add_labels({"0.png": [Label("square", Box(1, 1, 9, 9), 0.7)]}, field="theirs")
        project.adopt("theirs")
    with _serving(tmp_path / "workspace") as said:
        program = Path(sys.executable).with_name("schemathesis")
        command = [
            str(program), "run", f"{said['url']}/api/v1/openapi.json",
            "--header", f"Authorization: Bearer {said['token']}",
            "--exclude-operation-id", "watch_events",  # it never ends
            "--exclude-operation-id", "predict_image",  # starts processes that import torch
            "--exclude-operation-id", "get_model_card",
            "--checks", "not_a_server_error,content_type_conformance,status_code_conformance",
            "--phases", "coverage,fuzzing", "--max-examples", os.environ.get("COUNTERSIGN_FUZZ", "3"),
            "--generation-deterministic", "--request-timeout", "60", "--no-color",
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=500, check=False, env=environment, cwd=tmp_path
        )
    what = done.stdout.partition(" FAILURES ")[2] or done.stdout[-6000:]
    assert done.returncode == 0, what[:6000] + done.stderr[-2000:]
