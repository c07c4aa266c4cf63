"""Memories: what is kept of a record's events, and how it is read."""

from cndts.memory.clearing import ClearingMemory
from cndts.memory.compressed import CompressedMemory, CompressedState
from cndts.memory.episodic import EpisodicMemory, EpisodicState
from cndts.memory.gates import ClearingGate, ForgetGate, ReadGate, WriteGate
from cndts.memory.hybrid import LONG_TERM, HybridMemory, HybridState, Recalled, SeriesFacts
from cndts.memory.legendre import LegendreMemory, LegendreState
from cndts.memory.long_term import LongTermMemory
from cndts.memory.oscillating import OscillatingMemory, OscillatingState
from cndts.memory.settings import Memory
from cndts.memory.slot_attention import SlotAttention
from cndts.memory.store import MemoryStore
from cndts.memory.working import WorkingMemory, WorkingState

__all__ = [
    "LONG_TERM",
    "ClearingGate",
    "ClearingMemory",
    "CompressedMemory",
    "CompressedState",
    "EpisodicMemory",
    "EpisodicState",
    "ForgetGate",
    "HybridMemory",
    "HybridState",
    "LegendreMemory",
    "LegendreState",
    "LongTermMemory",
    "Memory",
    "MemoryStore",
    "OscillatingMemory",
    "OscillatingState",
    "ReadGate",
    "Recalled",
    "SeriesFacts",
    "SlotAttention",
    "WorkingMemory",
    "WorkingState",
    "WriteGate",
]
