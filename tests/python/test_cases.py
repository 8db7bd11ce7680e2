"""Cases files: alternatives, strides, and messages that name the line."""

import json

import pytest
import torch

import corundum
from corundum._cases import read_cases


def tensors(case):
    return [(one["shape"], one["dtype"]) for one in case.args if isinstance(one, dict)]


def test_alternatives_expand_to_a_product():
    cases = list(
        read_cases([{"call": "torch.tanh", "args": [{"shape": [[2, 3], [4]], "dtype": ["float32", "bfloat16"]}], "kwargs": {}}])
    )
    assert [tensors(case)[0] for case in cases] == [
        ([2, 3], "float32"),
        ([2, 3], "bfloat16"),
        ([4], "float32"),
        ([4], "bfloat16"),
    ]


def test_names_vary_together():
    tensor = {"shape": "$size", "dtype": "$type"}
    each = {"size": [[2, 3], [4]], "type": ["float32", "float64"]}
    cases = list(read_cases([{"call": "aten.add.Tensor", "args": [tensor, tensor], "each": each}]))
    assert [tensors(case) for case in cases] == [[(size, kind)] * 2 for size in ([2, 3], [4]) for kind in ("float32", "float64")]


def test_scalar_tensor_and_plain_values():
    (case,) = read_cases([{"call": "torch.clamp", "args": [{"shape": []}], "kwargs": {"min": 0, "max": None}}])
    assert tensors(case) == [([], "float32")]
    assert case.run().shape == ()


def test_strides_and_offset():
    (case,) = read_cases([{"call": "torch.Tensor.t", "args": [{"shape": [3, 5], "stride": [1, 8], "offset": 2}]}])
    result = case.run()
    assert (result.shape, result.stride(), result.storage_offset(), result.device.type) == ((5, 3), (8, 1), 2, "meta")


def test_dtype_as_an_argument():
    (case,) = read_cases([{"call": "torch.softmax", "args": [{"shape": [2, 4]}, -1], "kwargs": {"dtype": "torch.float64"}}])
    assert case.run().dtype == torch.float64


def test_file(tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text('# the encoder\n\n{"call": "torch.tanh", "args": [{"shape": [3]}]}\n')
    (case,) = read_cases(path)
    assert case.where == f"{path}:3"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"cases.jsonl:1: not valid JSON"),
        ("[]", "expected an object"),
        ('{"args": []}', '"call" must name a function'),
        ('{"call": "torch.tanh", "arg": []}', "unknown key 'arg'"),
        ('{"call": "torch.tanh", "args": 3}', '"args" must be a list'),
        ('{"call": "torch.tanh", "args": [{"shape": [2], "dtyp": "float32"}]}', "unknown key 'dtyp'"),
        ('{"call": "torch.tanh", "args": ["$x"]}', "\"each\" has no 'x'"),
        ('{"call": "torch.tanh", "each": {"x": []}}', '"each" must give a list'),
        ('{"call": "os.system", "args": ["true"]}', 'must begin with "torch."'),
        ('{"call": "torch.tanhh", "args": []}', "torch has no 'torch.tanhh'"),
        ('{"call": "aten.add.Tensr", "args": []}', "ATen has no 'add.Tensr'"),
        ('{"call": "torch.tanh", "args": [{"shape": [2], "dtype": "float31"}]}', "\"dtype\" must be a name .* got 'float31'"),
        ('{"call": "torch.tanh", "args": [{"shape": [-2]}]}', '"shape" must be a list of sizes'),
        ('{"call": "torch.tanh", "args": [{"shape": [2], "stride": [1, 2]}]}', '"stride" must have one number for each of the 1'),
        ('{"call": "torch.add", "args": [{"shape": [2]}, {"shape": [3]}]}', "torch.add: The size of tensor a"),
    ],
)
def test_bad_case(library, tmp_path, line, message):
    path = tmp_path / "cases.jsonl"
    path.write_text(line)
    with pytest.raises(ValueError, match=message):
        corundum.plan("avx2", path)
    assert "plan_begin" not in library.commands() or library.commands()[-2:] == ["plan_end", "disable"]


def test_missing_file(library, tmp_path):
    with pytest.raises(ValueError, match="cannot read the cases in .*none: No such file"):
        corundum.plan("avx2", tmp_path / "none")


def test_plan_and_write(library, tmp_path):
    path, seen = tmp_path / "cases.jsonl", []
    path.write_text(json.dumps({"call": "torch.exp", "args": [{"shape": [3], "dtype": ["float32", "float64"]}]}))
    plan = corundum.plan("sm_90", path, lambda done, total: seen.append((done, total)))
    assert plan.kernels == ["pointwise/gelu f32->f32 flat"]
    assert seen == [(1, 2), (2, 2)]
    assert library.last("plan_begin") == {"target": "sm_90"}
    pack = plan.write(tmp_path / "out.pack", threads=3)
    assert library.last("pack_write") == {"token": 5, "path": str(tmp_path / "out.pack"), "threads": 3}
    assert (pack.kernels, pack.bytes, pack.target) == (1, 9000, "sm_90")
    with pytest.raises(ValueError, match="expected 1 or more, got 0"):
        plan.write("x", threads=0)


def test_plan_leaves_enabled_what_was_enabled(library):
    corundum.plan("avx2", [])
    assert library.commands()[-1] == "disable"
    corundum.enable()
    library.asked.clear()
    corundum.plan("avx2", [])
    assert {"enable", "disable"}.isdisjoint(library.commands())


def test_leaves_reach_the_backend_key(library):
    """Composites are taken apart down to the leaves; each that is ours goes to the kernel at the target's backend key."""
    from corundum import _kinds
    from corundum._plan import _Planning

    reached = []
    probe = torch.library.Library("aten", "IMPL")

    def copy_(self, src, non_blocking=False):
        reached.append(("copy_", src.device.type))
        return self

    probe.impl("copy_", copy_, "CUDA")
    try:
        x = torch.empty(3, 5, device="meta")
        with _Planning(torch._C.DispatchKey.CUDA, {"copy_"}):
            result = x.t().contiguous().to(torch.float64)
        assert (result.shape, result.dtype) == ((5, 3), torch.float64)
        assert reached == [("copy_", "meta")] * 2
    finally:
        probe._destroy()
        _kinds.kind.cache_clear()
