"""Nested JSON on both sides of a captured record, made flat: prediction first, then the features."""

import json


def preprocess_handler(inference_record):
    features = json.loads(inference_record.endpoint_input.data)
    answer = json.loads(inference_record.endpoint_output.data)
    row = {f"prediction{i}": value for i, value in enumerate(answer["predictions"])}
    row["age"] = features["customer"]["age"]
    row["city"] = features["customer"].get("city")
    row["vip"] = features["customer"]["vip"]
    return row
