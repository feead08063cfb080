"""Every attribute of a captured record, as one row."""


def preprocess_handler(inference_record):
    row = {
        "event_id": inference_record.event_metadata.event_id,
        "event_time": inference_record.event_metadata.event_time,
        "custom_attribute": "|".join(inference_record.event_metadata.custom_attribute or []),
        "event_version": inference_record.event_version,
        "inference_id": inference_record.event_dict["eventMetadata"].get("inferenceId"),
        "same": inference_record.as_dict() == inference_record.event_dict,
    }
    for name in ("endpoint_input", "endpoint_output", "batch_transform_output", "ground_truth"):
        side = getattr(inference_record, name)
        row[name] = side and f"{side.encoding} {side.data} {side.observedContentType} {side.mode}"
    return row
