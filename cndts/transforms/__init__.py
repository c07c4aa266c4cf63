"""Transformers on panels for scikit-learn pipelines: scaling, cleaning, resampling, and features of the gaps."""

from cndts.transforms._base import PanelTransformer
from cndts.transforms._channel_scaler import ChannelScaler
from cndts.transforms._duplicate_merger import DuplicateMerger
from cndts.transforms._gap_statistics import GapStatistics
from cndts.transforms._grid_resampler import GridResampler
from cndts.transforms._limit_filter import LimitFilter
from cndts.transforms._log_transformer import ChannelLogTransformer
from cndts.transforms._min_max_scaler import ChannelMinMaxScaler
from cndts.transforms._quantile_transformer import ChannelQuantileTransformer
from cndts.transforms._robust_scaler import ChannelRobustScaler
from cndts.transforms._standard_scaler import ChannelStandardScaler
from cndts.transforms._time_features import TimeFeatures
from cndts.transforms._value_clipper import ValueClipper

__all__ = [
    "ChannelLogTransformer",
    "ChannelMinMaxScaler",
    "ChannelQuantileTransformer",
    "ChannelRobustScaler",
    "ChannelScaler",
    "ChannelStandardScaler",
    "DuplicateMerger",
    "GapStatistics",
    "GridResampler",
    "LimitFilter",
    "PanelTransformer",
    "TimeFeatures",
    "ValueClipper",
]
