"""Memories: what is kept of a record's events, and how it is read."""

from cndts.memory.compressed import CompressedMemory, CompressedState
from cndts.memory.settings import Memory
from cndts.memory.working import WorkingMemory, WorkingState

__all__ = ["CompressedMemory", "CompressedState", "Memory", "WorkingMemory", "WorkingState"]
