"""Episodic memory: the most salient events of a record, found again by content."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cndts._layers import log_time
from cndts.event_batch import EventBatch
from cndts.memory.gates import ForgetGate
from cndts.memory.power_fading import power_fading, visit_range
from cndts.memory.slot_attention import SlotAttention
from cndts.memory.store import MemoryStore

_N_FACTS = 3
# Log of the power of fading at the start of training: over a thousand horizons, odds fall to two thirds.
_SLOW = -3.0
# Weight of the penalty by which events that are read become salient: enough to move the gate, too little to move what is read.
_CONSOLIDATION = 0.03
# Values further out than this look alike in a signature.
_FAR = 8.0


class EpisodicState(NamedTuple):
    """The salient events of each record at its last event, the strongest first.

    Attributes
    ----------
    encoded : Tensor of shape (n_records, n_slots, width)
        The encoded events; 0 in empty slots.
    company : Tensor of shape (n_records, n_slots, width)
        Mean signature of what else was seen at the time of the event; 0 where it was alone, and in empty slots.
    facts : Tensor of shape (n_records, n_slots, 3)
        Value, its rank score, time to the last event of the record; 0 in empty slots.
    strength : Tensor of shape (n_records, n_slots)
        Salience, less what has faded; -inf in empty slots.
    channel : Tensor of shape (n_records, n_slots)
        Channel of the event; -1 in empty slots.
    pace : Tensor of shape (n_records,)
        Pace of fading after the last event.
    elapsed : Tensor of shape (n_records,), float64
        Time from the record's first event to its last, as the forget gate counts it.
    luck : Tensor of shape (n_records, n_slots)
        Noise that the event drew in training, for as long as it stays; 0 in evaluation.
    latest : Tensor of shape (n_records, width)
        Mean signature of what was seen at the record's last time stamp; 0 before any.
    """

    encoded: Tensor
    company: Tensor
    facts: Tensor
    strength: Tensor
    channel: Tensor
    pace: Tensor
    elapsed: Tensor
    luck: Tensor
    latest: Tensor

    @property
    def is_held(self) -> Tensor:
        """Whether the slot holds an event, shape (n_records, n_slots)."""
        return self.channel >= 0


class EpisodicMemory(MemoryStore[EpisodicState]):
    r"""At most ``n_slots`` events of a record, whatever their age.

    An event enters with salience :math:`s_i = g(u_i) + b_1 \log(1 + \text{surprise}_i) + b_2 \text{first}_i` from write
    gate and surprise, where surprise is the distance from what its series showed before in the series' own deviations.
    The strength of all slots of a record falls with the logarithm of time, which runs at the pace of the forget gate (`PowerFading`). What falls
    is common to all slots, so their order never changes: keeping the strongest at every step and choosing the strongest of all at the
    end are the same, which makes streaming exact.

    Slots are read by attention. To the score of a slot j come its strength, so that gates learn through it, and in each head h its
    likeness to the present: with a signature :math:`\sigma` of every event's value and channel,

    .. math:: -\tfrac{1}{2} \lVert P_h (\bar\sigma_\text{now} - \bar\sigma_j) \rVert^2,

    where :math:`\bar\sigma_\text{now}` is the mean over the record's last time stamp and :math:`\bar\sigma_j` that over what came with the
    event. One map for both sides makes like find like from the first step of training on, as in the keys of Graves, Wayne and
    Danihelka, *Neural Turing Machines*, 2014, section 3.3.1, with a distance in place of their cosine.

    What is read becomes salient: a penalty draws :math:`\mathrm{softmax}(s)` over the slots towards the share :math:`a_j` that was
    read of each, :math:`-\sum_j a_j \log \mathrm{softmax}(s)_j`, in which the shares are constants. Attention alone would never
    tell the gate that an event was not worth keeping. During training Gumbel noise on the salience lets other events try (Kool et
    al., *Stochastic Beams and Where to Find Them*, ICML 2019: the largest noisy scores are a sample without replacement).

    Parameters
    ----------
    n_channels : int
        Channels.
    n_slots : int
        Events kept per record.
    width : int
        Length of an encoded event, of a signature and of what is read.
    n_heads : int
        Heads of the attention.
    write_gate, forget_gate : bool
        Whether the gates are learned; without the write gate salience is surprise alone, without the forget gate slots
        fade at one common pace.

    Examples
    --------
    >>> memory = EpisodicMemory(n_channels=3, n_slots=4, width=8, n_heads=2)
    >>> memory.empty(2).is_held.any().item()
    False
    """

    def __init__(
        self,
        n_channels: int,
        n_slots: int,
        width: int,
        n_heads: int,
        *,
        write_gate: bool = True,
        forget_gate: bool = True,
    ) -> None:
        super().__init__()
        self.n_slots, self.width = n_slots, width
        self.salience = nn.Linear(width, 1) if write_gate else None
        self.surprise = nn.Parameter(torch.tensor([1.0, 1.0]))
        self.log_power = nn.Parameter(torch.tensor(_SLOW))
        self.forget_gate = ForgetGate(width, 1, forget_gate)
        self.signature = nn.Linear(2, width)
        self.channel = nn.Embedding(n_channels, width)
        nn.init.normal_(self.channel.weight, std=0.3)
        self.likeness = nn.Linear(width, width, bias=False)
        nn.init.normal_(self.likeness.weight, std=2 / width**0.5)  # at first, unlike slots are told apart
        self.norm = nn.LayerNorm(width)
        self.attention = SlotAttention(width, width + _N_FACTS, n_heads)

    def empty(self, n_rows: int) -> EpisodicState:
        """Slots without events."""
        like, slots = self.norm.weight, (n_rows, self.n_slots)
        return EpisodicState(
            like.new_zeros(*slots, self.width),
            like.new_zeros(*slots, self.width),
            like.new_zeros(*slots, _N_FACTS),
            like.new_full(slots, -torch.inf),
            torch.full(slots, -1, dtype=torch.long, device=like.device),
            like.new_ones(n_rows),
            like.new_zeros(n_rows, dtype=torch.float64),
            like.new_zeros(slots),
            like.new_zeros(n_rows, self.width),
        )

    # ---- write ---------------------------------------------------------------------------------

    def write(self, encoded: Tensor, batch: EventBatch, before: EpisodicState | None = None) -> EpisodicState:
        """Keep the most salient events of each record."""
        record = batch.visit_record.index_select(0, batch.visit)
        earlier = before or self.empty(batch.n_records)
        pace = self.forget_gate(encoded).squeeze(-1)
        faded = power_fading(pace, self.log_power.exp(), batch, earlier.pace, earlier.elapsed)
        facts = torch.stack([batch.value, batch.score, batch.visit_age.index_select(0, batch.visit)], dim=-1)
        strength = self._salience(encoded, batch) - faded.lost.index_select(0, batch.visit)
        luck = _gumbel(strength) if self.training else torch.zeros_like(strength)
        row = self._strongest((strength + luck).detach(), record, batch.n_records)
        held = row >= 0
        picked = row.clamp(min=0).flatten()
        company, latest = self._company(batch, row)

        def take(part: Tensor, nothing: float) -> Tensor:
            if not len(part):
                return part.new_full((*row.shape, *part.shape[1:]), nothing)
            slots = part.index_select(0, picked).unflatten(0, row.shape)
            return slots.masked_fill(~held.view(*held.shape, *[1] * (slots.ndim - 2)), nothing)

        new = EpisodicState(
            encoded=take(encoded, 0.0),
            company=company,
            facts=take(facts, 0.0),
            strength=take(strength, -torch.inf),
            channel=take(batch.channel, -1),
            pace=faded.pace,
            elapsed=faded.elapsed,
            luck=take(luck, 0.0),
            latest=latest,
        )
        if before is None:
            return new
        return self._among(new, before, batch, faded.lost_before) if batch.n_visits else before

    def _salience(self, encoded: Tensor, batch: EventBatch) -> Tensor:
        """Log salience of each event, shape (n_events,)."""
        unexpected = torch.stack([batch.surprise.log1p(), batch.is_first], dim=-1) @ self.surprise
        return unexpected if self.salience is None else unexpected + self.salience(encoded).squeeze(-1)

    def _signatures(self, batch: EventBatch) -> Tensor:
        """What tells events apart, from their values and channels, shape (n_events, width)."""
        seen = self.signature(torch.stack([batch.value.clamp(-_FAR, _FAR), batch.score], dim=-1))
        return torch.nn.functional.silu(seen + self.channel.weight.index_select(0, batch.channel))

    def _company(self, batch: EventBatch, row: Tensor) -> tuple[Tensor, Tensor]:
        """Mean signature of what else was seen with the events in the slots, and of each record's last visit.

        ``row`` of shape (n_records, n_slots) are the events, -1 for an empty slot.
        """
        if not batch.n_visits:
            nothing = self.norm.weight.new_zeros(*row.shape, self.width)
            return nothing, nothing[:, 0]
        seen = self._signatures(batch)
        total = seen.new_zeros(batch.n_visits, self.width).index_add(0, batch.visit, seen)
        count = seen.new_zeros(batch.n_visits, 1).index_add(0, batch.visit, torch.ones_like(batch.value)[:, None])
        event = row.clamp(min=0).flatten()
        visit = batch.visit.index_select(0, event)
        others = count.index_select(0, visit) - 1
        company = (total.index_select(0, visit) - seen.index_select(0, event)) / others.clamp(min=1)
        # An event that was alone has no company, not the rounding error of a difference.
        company = company.masked_fill((others == 0) | (row.flatten() < 0)[:, None], 0.0)
        _, last, is_seen = visit_range(batch)
        latest = total.index_select(0, last) / count.index_select(0, last)
        return company.unflatten(0, row.shape), latest * is_seen[:, None]

    def _strongest(self, strength: Tensor, record: Tensor, n_records: int) -> Tensor:
        """Rows of the strongest events of each record, the strongest first; -1 for empty slots."""
        order = strength.argsort(descending=True, stable=True)
        order = order[record[order].argsort(stable=True)]
        owner = record[order]
        count = torch.zeros(n_records, dtype=torch.long, device=record.device)
        count = count.index_add(0, record, torch.ones_like(record))
        rank = torch.arange(order.shape[0], device=record.device) - (count.cumsum(0) - count)[owner]
        # Whoever comes too late shares a last column that is thrown away: shapes do not depend on values.
        slots = torch.full((n_records, self.n_slots + 1), -1, dtype=torch.long, device=record.device)
        return slots.index_put((owner, rank.clamp(max=self.n_slots)), order)[:, : self.n_slots]

    def _among(self, new: EpisodicState, before: EpisodicState, batch: EventBatch, lost: Tensor) -> EpisodicState:
        """The strongest of new and older slots."""
        first, _, is_seen = visit_range(batch)
        span = batch.visit_age.index_select(0, first) * is_seen
        waited = (batch.record_gap + span)[:, None] * before.is_held
        older = before._replace(
            facts=before.facts + torch.nn.functional.pad(waited[..., None], (2, 0)),
            strength=before.strength - lost[:, None],
        )
        place = torch.cat([older.strength + older.luck, new.strength + new.luck], dim=1)
        place = place.detach().argsort(dim=1, descending=True, stable=True)[:, : self.n_slots]

        def among(name: str) -> Tensor:
            part = torch.cat([getattr(older, name), getattr(new, name)], dim=1)
            return part.gather(1, place.view(*place.shape, *[1] * (part.ndim - 2)).expand(-1, -1, *part.shape[2:]))

        slots = {name: among(name) for name in ("encoded", "company", "facts", "strength", "channel", "luck")}
        latest = torch.where(is_seen[:, None], new.latest, before.latest)
        return EpisodicState(**slots, pace=new.pace, elapsed=new.elapsed, latest=latest)

    # ---- read ----------------------------------------------------------------------------------

    def recall(self, state: EpisodicState, asked: Tensor) -> tuple[Tensor, Tensor]:
        """Read the slots by content.

        Parameters
        ----------
        state : EpisodicState
            The slots.
        asked : Tensor of shape (n_records, n_askers, width)
            What the nodes of each record know.

        Returns
        -------
        read : Tensor of shape (n_records, n_askers, width)
        share : Tensor of shape (n_records, n_askers, n_heads, n_slots + 1)
            What each slot contributed; the last is the answer "nothing of this", which is always there.
        """
        value, score, age = state.facts.unbind(-1)
        facts = torch.stack([value, score, log_time(age)], dim=-1) * state.is_held[..., None]
        slots = torch.nn.functional.pad(torch.cat([state.encoded, facts], dim=-1), (0, 0, 0, 1))
        unlike = (
            self.likeness(state.latest[:, None] - state.company).unflatten(-1, self.attention.heads).square().sum(-1)
        )
        bias = torch.nn.functional.pad((state.strength[..., None] - unlike / 2).transpose(1, 2), (0, 1))
        read, share = self.attention(self.norm(asked), slots, bias)
        return read, share

    @staticmethod
    def consolidation(state: EpisodicState, share: Tensor) -> Tensor:
        """Penalty, a scalar, that draws the strengths towards what was read; ``share`` as ``recall`` gives it."""
        used = share[..., :-1].mean(dim=(1, 2)).detach()
        # A finite number, since 0 times -inf has no gradient; an empty slot is never read.
        log_strength = state.strength.masked_fill(~state.is_held, -1e4).log_softmax(dim=-1)
        return -_CONSOLIDATION * (used * log_strength).sum(dim=-1).mean()


def _gumbel(like: Tensor) -> Tensor:
    return -torch.log(-torch.rand_like(like).clamp(1e-6, 1 - 1e-6).log())
