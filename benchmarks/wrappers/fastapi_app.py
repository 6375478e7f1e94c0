"""The wrapper that a careful engineer writes by hand: raw bytes in, JSON out, a thread pool."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from benchmarks.wrappers.predictor import Answer, Predictor

app = FastAPI()
predictor = Predictor()


@app.post("/predict")
async def predict(request: Request) -> Answer:
    """Score the photograph in the body."""
    return await run_in_threadpool(predictor, await request.body())
