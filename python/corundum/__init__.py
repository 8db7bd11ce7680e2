"""Corundum: portable operators for PyTorch.

Models keep their PyTorch calls and get Corundum's kernels:

    import corundum
    corundum.enable()

Names are ATen's: "add.Tensor", or "add" for all its overloads. What Corundum does not cover goes to the kernel that was registered
before it, and `record()` says why.
"""

import torch as _torch  # noqa: F401  before our modules: it may come back for them, at its end (CORUNDUM_ENABLE)

from corundum import cache
from corundum._explain import Candidate, ExplainedCall, Explanation, Launch, explain
from corundum._front import disable, enable, info, ops, use
from corundum._fuse import Fused, fuse
from corundum._fuse_program import FuseError
from corundum._library import Operator
from corundum._plan import Pack, Plan, pack, plan
from corundum._record import Call, Record, record
from corundum._user import Pointwise, pointwise, user_operator
from corundum._verify import Difference, DifferenceError, Verification, bisect, verify
from corundum._version import __version__

__all__ = [
    "Call",
    "Candidate",
    "Difference",
    "DifferenceError",
    "ExplainedCall",
    "Explanation",
    "FuseError",
    "Fused",
    "Launch",
    "Operator",
    "Pack",
    "Plan",
    "Pointwise",
    "Record",
    "Verification",
    "__version__",
    "bisect",
    "cache",
    "disable",
    "enable",
    "explain",
    "fuse",
    "info",
    "ops",
    "pack",
    "plan",
    "pointwise",
    "record",
    "use",
    "user_operator",
    "verify",
]
