"""A stand-in for libcorundum.so that keeps to include/corundum/corundum.h, so that the front door's own work is tested alone."""

import json
from typing import Any

OPERATORS = [
    {"overload": name, "family": family, "backends": ["cpu", "cuda"], "dtypes": ["float32", "float64"], "via": [], "enabled": False}
    for name, family in [
        ("mul.Tensor", "pointwise"),
        ("add.Tensor", "pointwise"),
        ("add.out", "pointwise"),
        ("gelu", "pointwise"),
        ("gelu.out", "pointwise"),
        ("_softmax", "softmax"),
    ]
] + [
    {
        "overload": "divide.Tensor",
        "family": "pointwise",
        "backends": ["cpu"],
        "dtypes": ["float32"],
        "via": ["mul.Tensor"],
        "enabled": False,
    }
]


class StandIn:
    """Answers like the library and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {
            "enable": {"ok": True, "overloads": 6},
            "disable": {"ok": True, "restored": 6},
            "use_push": {"ok": True, "token": 7},
            "use_pop": {"ok": True},
            "ops": {"ok": True, "ops": OPERATORS},
            "info": {"ok": True, "version": "0.1.0", "packs": [], "config": {"jit": True, "cxx": ""}},
            "record_start": {"ok": True, "token": 3},
            "record_stop": {"ok": True, "calls": []},
            "cache": {"ok": True, "path": "/somewhere/corundum", "entries": 3, "bytes": 100, "faulty": 0, "refusal": ""},
            "defined": {"ok": True, "names": []},
            "plan_begin": {"ok": True},
            "plan_end": {"ok": True, "token": 5, "kernels": ["pointwise/gelu f32->f32 flat"]},
            "pack_write": {"ok": True, "kernels": 1, "bytes": 9000, "failed": 0, "errors": []},
            "pack_progress": {"ok": True, "done": 0},
        }

    def __call__(self, command: bytes, arguments: bytes) -> bytes:
        self.asked.append((command.decode(), json.loads(arguments)))
        return json.dumps(self.answers[command.decode()]).encode()

    def last(self, command: str) -> dict[str, Any]:
        """The arguments of the latest call of a command."""
        return next(arguments for name, arguments in reversed(self.asked) if name == command)

    def commands(self) -> list[str]:
        return [name for name, _ in self.asked]
