"""Functions that make futures of futures, of any kind. None of them waits, or needs an executor."""

from .collect import f_apply, f_sequence, f_traverse, f_zip
from .create import f_return, f_return_cancelled, f_return_error
from .limit import f_nocancel, f_timeout
from .logic import f_and, f_or
from .proxy import f_proxy
from .transform import f_flat_map, f_map

__all__ = [
    "f_and",
    "f_apply",
    "f_flat_map",
    "f_map",
    "f_nocancel",
    "f_or",
    "f_proxy",
    "f_return",
    "f_return_cancelled",
    "f_return_error",
    "f_sequence",
    "f_timeout",
    "f_traverse",
    "f_zip",
]
