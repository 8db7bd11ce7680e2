"""Corundum: portable operators for PyTorch.

Models keep their PyTorch calls and get Corundum's kernels:

    import corundum
    corundum.enable()

Names are ATen's: "add.Tensor", or "add" for all its overloads. What Corundum does not cover goes to the kernel that was registered
before it, and `record()` says why.
"""

import torch as _torch  # noqa: F401  before our modules: it may come back for them, at its end (CORUNDUM_ENABLE)

from corundum import cache
from corundum._front import disable, enable, info, ops, use
from corundum._library import Operator
from corundum._plan import Pack, Plan, pack, plan
from corundum._record import Call, Record, record
from corundum._verify import Difference, DifferenceError, Verification, bisect, verify
from corundum._version import __version__

__all__ = [
    "Call",
    "Difference",
    "DifferenceError",
    "Operator",
    "Pack",
    "Plan",
    "Record",
    "Verification",
    "__version__",
    "bisect",
    "cache",
    "disable",
    "enable",
    "info",
    "ops",
    "pack",
    "plan",
    "record",
    "use",
    "verify",
]
