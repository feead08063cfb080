"""The small model that is measured: FastAPI, one JSON object in, one out. ``CAPTURES`` names a folder to capture into."""

from __future__ import annotations

import math
import os

from fastapi import FastAPI
from pydantic import BaseModel

__all__ = ["app"]


class Customer(BaseModel):
    """What is asked."""

    age: float
    tenure: int
    plan: str
    calls: int
    minutes: float
    spend: float
    complaints: int
    region: str
    is_new: bool
    score: float


class Answer(BaseModel):
    """What is answered."""

    churn: float


service = FastAPI()


@service.post("/predict")
async def predict(customer: Customer) -> Answer:
    """Answer by a logistic model."""
    z = 0.02 * customer.age - 0.05 * customer.tenure + 0.3 * customer.complaints - 0.001 * customer.spend
    return Answer(churn=1.0 / (1.0 + math.exp(-z)))


app = service
if os.environ.get("CAPTURES"):
    import driftline as dl

    app = dl.capture.Middleware(service, os.environ["CAPTURES"], "churn")  # type: ignore[assignment]
