"""The real ONNX models of the test data, and how they are described. They are no part of this repository."""

from __future__ import annotations

from pathlib import Path

DESCRIPTIONS = {
    "yolox_nano/yolox_nano.onnx": """
        input: {colour: BGR, divide: 1, resize: letterbox}
        output: {decoder: yolox}
        classes: coco.names
        nms: 0.45
        """,
    "fastestdet/FastestDet.onnx": """
        input: {colour: BGR, divide: 255}
        output: {decoder: fastestdet}
        classes: coco.names
        nms: 0.45
        """,
    "yolov8n_int8/yolov8n-seg_int8.onnx": "",  # its own metadata
    "deeplab_v3_voc/deeplab_v3_1_default_1.onnx": """
        input: {divide: 127.5, mean: 1}
        output: {decoder: semantic, scores: logits, channels: last}
        classes: voc.txt
        """,
    "mobilenet_v2_imagenet/mobilenet_v2_1.0_224_quant.onnx": """
        output: {decoder: classes, scores: probabilities, scale: 0.00390625, background: 0}
        classes: imagenet_labels.txt
        """,
    "mobilenet_v1_embedding/mobilenet_v1_1.0_224_quant_embedding_extractor.onnx": "output: {decoder: embedding}",
    "movenet_lightning/movenet_single_pose_lightning_ptq.onnx": """
        input: {resize: stretch}
        output: {decoder: movenet, keypoint_confidence: 0}
        classes: [person]
        """,
    "yunet_face/face_detection_yunet_120x160.onnx": "",  # its outputs
}


def reference(models: Path, folder: str, place: Path) -> str:
    """Return the reference to the model in one of the folders; its description and class names go to ``place``."""
    path = next(name for name in DESCRIPTIONS if name.startswith(f"{folder}/"))
    model = models / path
    if not DESCRIPTIONS[path]:
        return str(model)
    for names in (*model.parent.glob("*.names"), *model.parent.glob("*labels.txt")):
        (place / names.name).write_text(names.read_text())
    voc = place / "pascal_voc_segmentation_labels.txt"
    if voc.exists():
        (place / "voc.txt").write_text("\n".join(voc.read_text().splitlines()[:21]))
    (place / "how.yaml").write_text("\n".join(line.strip() for line in DESCRIPTIONS[path].splitlines()))
    return f"{model}?description={place / 'how.yaml'}"
