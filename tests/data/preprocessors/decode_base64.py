"""A payload that was captured as BASE64, its content type being unknown; several rows each."""

import base64


def preprocess_handler(inference_record, logger):
    side = inference_record.endpoint_input
    if side.encoding != "BASE64":
        logger.warning("expected BASE64, found %s", side.encoding)
        return []
    lines = base64.b64decode(side.data).decode().splitlines()
    return [
        {"width": float(width), "height": float(height)} for width, height in (line.split() for line in lines)
    ]
