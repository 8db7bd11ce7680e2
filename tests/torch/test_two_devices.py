"""Two GPUs: tensors on the one that is not current."""

import threading

import pytest
import torch
import torch.nn.functional as F
from against_aten import aten, must_serve, same

pytestmark = [pytest.mark.usefixtures("on"), pytest.mark.cuda, pytest.mark.two_gpus]

FUNCTIONS = {
    "add.Tensor": lambda x: x + x[:1],
    "gelu": F.gelu,
    "where.self": lambda x: torch.where(x > 0, x, 0.0),
    "copy_": lambda x: x.t().contiguous(),
    "sum.dim_IntList": lambda x: x.sum(0),
    "_softmax": lambda x: F.softmax(x, -1),
    "native_layer_norm": lambda x: F.layer_norm(x, x.shape[-1:]),
}


def tensor(device, seed=0):
    return torch.randn(65, 48, generator=torch.Generator().manual_seed(seed)).to(device)


@pytest.mark.parametrize("overload", FUNCTIONS)
def test_tensors_live_where_they_are(overload):
    x, function = tensor("cuda:1"), FUNCTIONS[overload]
    assert torch.cuda.current_device() == 0
    with aten():
        expected = function(x)
    with must_serve(overload):
        result = function(x)
    assert result.device == torch.device("cuda", 1)
    assert torch.cuda.current_device() == 0
    torch.cuda.synchronize(1)
    same(result, expected)


def test_the_stream_is_the_devices():
    x, stream = torch.zeros(1 << 20, device="cuda:1"), torch.cuda.Stream(1)
    x * 2  # compiled before
    torch.cuda.synchronize(1)
    with torch.cuda.stream(stream):
        torch.cuda._sleep(200_000_000)
        with aten():
            x.fill_(3.0)
        with torch.cuda.device(0):
            torch.ones(1, device="cuda:0")
        result = x * 2
    stream.synchronize()
    with aten():
        assert bool((result == 6).all())


def test_backward():
    def gradients():
        x, y = tensor("cuda:1").requires_grad_(), tensor("cuda:0", 1).requires_grad_()
        (F.gelu(x).to("cuda:0") * torch.tanh(y)).sum().backward()
        return x.grad, y.grad

    with aten():
        expected = gradients()
    with must_serve("gelu", "gelu_backward", "tanh_backward", "mul.Tensor"):
        results = gradients()
    for ours, theirs in zip(results, expected, strict=True):
        assert ours.device == theirs.device
        torch.testing.assert_close(ours, theirs)


def test_two_threads():
    failures = []

    def work(index):
        try:
            x = tensor(f"cuda:{index}", index)
            with torch.no_grad():
                for _ in range(100):
                    result = F.softmax(F.gelu(x) + x, -1)
            reference = F.softmax(F.gelu(x.cpu().double()) + x.cpu(), -1).float()
            torch.testing.assert_close(result.cpu(), reference)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_tensors_of_two_devices_get_atens_error():
    x, y = tensor("cuda:0"), tensor("cuda:1")
    with pytest.raises(RuntimeError, match="same device"):
        x + y
    with must_serve("add.Tensor"):
        assert (y + torch.tensor(1.0)).device == y.device
