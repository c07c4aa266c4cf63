"""Backbones: from packed events to a state at every query."""

from cndts.backbones.hybrid_memory import EncodedRecords, HybridMemoryBackbone

__all__ = ["EncodedRecords", "HybridMemoryBackbone"]
