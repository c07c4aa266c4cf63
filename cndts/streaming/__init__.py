"""Streaming: one record's memories carried from observation to observation."""

from cndts.streaming.predict_sessions import predict_sessions
from cndts.streaming.session import Session

__all__ = ["Session", "predict_sessions"]
