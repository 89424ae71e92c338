"""Networks: the paper's parameter counts, the same function as a reference's, one and many at a time."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional

from robustness.models import MODELS, ModelOptions
from robustness.models.densenet import DenseNet
from robustness.models.resnet import BasicBlock
from tests.support.named import network

TINY = 1 / 16
CIFAR = [name for name in MODELS if name != "resnet50"]
VARIANTS = [network(name, width=TINY) for name in CIFAR] + [
    network("vgg16", width=TINY, batch_norm=False),
    network("googlenet", width=TINY, eps_quirk=True),
]


def build(options: ModelOptions, classes: int = 10, seed: int = 0, **kwargs: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return options.build(classes, **kwargs).double()


def images(size: int = 32, channels: int = 3, n: int = 4) -> Tensor:
    return torch.randn(n, channels, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "options", "classes", "parameters"),
    [
        ("resnet18", {}, 10, 11_173_962),
        ("resnet34", {}, 100, 21_328_292),
        ("vgg16", {}, 10, 14_728_266),
        ("vgg16", {"batch_norm": False}, 10, 14_719_818),
        ("densenet121", {}, 100, 7_048_548),
        ("googlenet", {}, 100, 6_258_500),
        ("googlenet", {"eps_quirk": True}, 100, 6_258_500),
        ("resnet50", {}, 1000, 25_557_032),
        ("resnet50", {"width": 2}, 1000, 68_883_240),  # torchvision's wide_resnet50_2
        ("convnet", {}, 10, 9 * (3 * 16 + 16 * 32 + 32 * 64) + 2 * 112 + 10 * (64 * 16 + 1)),
        ("fast", {}, 10, 12 * 24 + 9 * (24 * 64 + 64 * 64 + 64 * 256 + 3 * 256**2) + 2 * (24 + 2 * 576) + 2560),
    ],
)
def test_parameter_counts(name: str, options: dict[str, object], classes: int, parameters: int) -> None:
    with torch.device("meta"):
        assert count(network(name, **options).build(classes)) == parameters


@pytest.mark.parametrize("name", MODELS)
def test_small_networks_learn(name: str) -> None:
    """Every parameter gets a gradient, and a step along it lowers the loss."""
    size = 64 if name == "resnet50" else 32
    with torch.device("meta"):
        full = count(network(name).build(7, channels=2))
    model = build(network(name, width=TINY), classes=7, channels=2)
    assert count(model) < full / 5
    x, y = images(size, channels=2), torch.arange(4)
    outputs = model(x)
    assert outputs.shape == (4, 7)
    model.eval()
    loss = functional.cross_entropy(model(x), y)
    loss.backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert len(gradients) == len(list(model.parameters()))
    assert all(g.isfinite().all() for g in gradients)
    assert sum(bool(g.any()) for g in gradients) > 0.9 * len(list(model.parameters()))
    square = sum(float(g.square().sum()) for g in gradients)
    with torch.no_grad():
        for p, gradient in zip(model.parameters(), gradients, strict=True):
            p.sub_(1e-6 / square * gradient)
        fallen = float(loss - functional.cross_entropy(model(x), y))
    assert fallen == pytest.approx(1e-6, rel=1e-2)
    assert build(network(name, width=TINY)).float()(images(size).float()).dtype == torch.float32


def test_widths_are_rounded_and_have_a_floor() -> None:
    sizes = [m.num_features for m in build(network("resnet18", width=0.03)).modules() if isinstance(m, nn.BatchNorm2d)]
    assert sorted(set(sizes)) == [4, 8, 15], "64, 128, 256 and 512 times 0.03 are 1.92, 3.84, 7.68 and 15.36"
    assert sorted(set(densenet_growths(0.2))) == [6], "32 * 0.2 is 6.4"
    for width in (0, -1.0, float("nan")):
        with pytest.raises(ValidationError, match="width"):
            network("vgg16", width=width)
    with pytest.raises(ValidationError, match="batch_norm"):
        network("resnet18", batch_norm=False)


def densenet_growths(width: float) -> list[int]:
    model = build(network("densenet121", width=width))
    return [m.out_channels for m in model.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)][1:]


def copied(reference: nn.Module, model: nn.Module) -> nn.Module:
    """Return `reference` in double precision with the parameters of `model`, in the order of both."""
    reference = reference.double()
    theirs, ours = list(reference.parameters()), list(model.parameters())
    with torch.no_grad():
        for p, q in zip(theirs, ours, strict=True):
            p.copy_(q)
    return reference


@pytest.mark.slow
def test_networks_equal_torchvisions_behind_the_small_stem() -> None:
    from torchvision.models import densenet, resnet, vgg

    block = build_module(BasicBlock(4, 6, 2))
    shortcut = nn.Sequential(nn.Conv2d(4, 6, 1, 2, bias=False), nn.BatchNorm2d(6))
    reference = copied(resnet.BasicBlock(4, 6, 2, shortcut), block)
    torch.testing.assert_close(block(images(8, 4)), reference(images(8, 4)))

    resnet18 = build(network("resnet18"))
    reference = resnet.ResNet(resnet.BasicBlock, [2, 2, 2, 2], num_classes=10)
    reference.conv1, reference.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    torch.testing.assert_close(resnet18(images()), copied(reference, resnet18)(images()))

    vgg16 = build(network("vgg16"))
    reference = nn.Sequential(vgg.make_layers(vgg.cfgs["D"], batch_norm=True), nn.Flatten(), nn.Linear(512, 10))
    torch.testing.assert_close(vgg16(images()), copied(reference, vgg16)(images()))

    small = build_module(DenseNet((2, 1, 3), 10, growth=4))
    reference = densenet.DenseNet(4, (2, 1, 3), num_init_features=8, num_classes=10)
    reference.features.conv0 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
    reference.features.norm0 = reference.features.relu0 = reference.features.pool0 = nn.Identity()
    torch.testing.assert_close(small(images()), copied(reference, small)(images()))


def build_module(model: nn.Module) -> nn.Module:
    """Return the network in double precision with parameters that none of its layers starts from."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in model.double().parameters():
            p.copy_(torch.randn(p.shape, dtype=torch.float64, generator=generator))
    return model


@pytest.mark.parametrize("eps_quirk", [False, True])
def test_googlenet_follows_its_table(eps_quirk: bool) -> None:
    """The same function written out, from the parameters in their order and the table's channel counts."""
    model = build_module(build(network("googlenet", width=TINY, dropout=0, eps_quirk=eps_quirk)))
    parameters = iter(model.parameters())

    def unit(x: Tensor, eps: float = 1e-5) -> Tensor:
        kernel, bias, scale, shift = (next(parameters) for _ in range(4))
        x = functional.conv2d(x, kernel, bias, padding=kernel.shape[-1] // 2)
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
        return functional.relu(scale[:, None, None] * (x - mean) / (variance + eps).sqrt() + shift[:, None, None])

    x = unit(images())
    for i, five in enumerate([32, 96, 48, 64, 64, 64, 128, 128, 128]):
        if i in (2, 7):
            x = functional.max_pool2d(x, 3, 2, 1)
        eps = max(4.0, five / 16) if eps_quirk else 1e-5
        pooled = functional.max_pool2d(x, 3, 1, 1)
        x = torch.cat([unit(x), unit(unit(x)), unit(unit(unit(x), eps)), unit(pooled)], 1)
    logits = functional.linear(x.mean((2, 3)), next(parameters), next(parameters))
    assert next(parameters, None) is None
    torch.testing.assert_close(model(images()), logits)


def test_eps_quirk_changes_one_batch_norm_an_inception() -> None:
    plain, quirk = (network("googlenet", eps_quirk=quirk).build(10) for quirk in (False, True))
    pairs = zip(plain.named_modules(), quirk.named_modules(), strict=True)
    changed = {name: (a.eps, b.eps) for (name, a), (_, b) in pairs if hasattr(a, "eps") and a.eps != b.eps}
    assert list(changed.values()) == [(1e-5, eps) for eps in (32, 96, 48, 64, 64, 64, 128, 128, 128)]
    assert all(name.endswith("five.1.1") for name in changed)


def test_googlenet_drops_features_in_training_alone() -> None:
    torch.manual_seed(0)
    model = build(network("googlenet", width=TINY, dropout=0.4))
    seen: list[Tensor] = []
    model.get_submodule("head").register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = images(n=16)
    features = model.get_submodule("features")(x).mean((2, 3))
    model(x)
    kept = seen[0] != 0
    assert float(kept.double().mean()) == pytest.approx(0.6, abs=0.06)
    torch.testing.assert_close(seen[0][kept], features[kept] / 0.6)
    model.eval()
    model(x)
    torch.testing.assert_close(seen[1], model.get_submodule("features")(x).mean((2, 3)))


def test_fast_network_written_out() -> None:
    model = build(network("fast", width=0.25))
    identities = [p for name, p in model.named_parameters() if p.ndim == 4 and not name.startswith("features.0.")]
    assert len(identities) == 6
    for kernel in identities:
        n = kernel.shape[1]
        expected = torch.zeros(n, n, 3, 3, dtype=torch.float64)
        expected[range(n), range(n), 1, 1] = 1.0
        assert torch.equal(kernel[:n], expected), "the first filters pass their channel on"
        assert (kernel[n:] != 0).all()
    parameters = iter(build_module(model).parameters())

    def norm(x: Tensor) -> Tensor:
        return functional.gelu(functional.batch_norm(x, None, None, next(parameters), next(parameters), training=True))

    x = norm(functional.conv2d(images(), next(parameters)))
    for _ in range(3):
        x = norm(functional.max_pool2d(functional.conv2d(x, next(parameters), padding=1), 2))
        x = norm(functional.conv2d(x, next(parameters), padding=1))
    assert x.shape[2:] == (3, 3)
    torch.testing.assert_close(model(images()), functional.max_pool2d(x, 3).flatten(1) @ next(parameters).T / 9)


@pytest.mark.slow
@pytest.mark.parametrize("options", VARIANTS, ids=repr)
@pytest.mark.parametrize("training", [True, False])
def test_a_stack_equals_its_networks_one_by_one(options: ModelOptions, training: bool) -> None:
    if "dropout" in type(options).model_fields:
        options = options.model_copy(update={"dropout": 0.0})
    models = [build_module(build(options)).train(training), build(options, seed=1).train(training)]
    for buffer in models[0].buffers():
        buffer.add_(1)
    parameters, buffers = stack_module_state(models)
    x, y = images(), torch.arange(4)

    def loss(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        outputs = functional_call(models[0], (parameters, buffers), (x,))
        return functional.cross_entropy(outputs, y), outputs

    gradients, outputs = vmap(grad(loss, has_aux=True), randomness="same")(parameters, buffers)
    for row, model in enumerate(models):
        alone = model(x)
        functional.cross_entropy(alone, y).backward()
        torch.testing.assert_close(outputs[row], alone, rtol=1e-9, atol=1e-9)
        for name, p in model.named_parameters():
            torch.testing.assert_close(gradients[name][row], p.grad, rtol=1e-9, atol=1e-9)
        for name, buffer in model.named_buffers():
            torch.testing.assert_close(buffers[name][row], buffer, rtol=1e-9, atol=1e-9)


def test_dropout_in_a_stack_is_one_mask() -> None:
    model = build(network("googlenet", width=TINY))
    parameters, buffers = stack_module_state([model, model])

    def outputs(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        made: Tensor = functional_call(model, (parameters, buffers), (images(),))
        return made

    first, second = vmap(outputs, randomness="same")(parameters, buffers)
    torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-9)
    again, _ = vmap(outputs, randomness="same")(parameters, buffers)
    assert not torch.allclose(first, again)


@pytest.mark.parametrize("name", MODELS)
def test_channels_last_changes_nothing(name: str) -> None:
    model, x = build(network(name, width=TINY)).eval(), images(64 if name == "resnet50" else 32)
    expected = model(x)
    last = torch.channels_last
    torch.testing.assert_close(model.to(memory_format=last)(x.to(memory_format=last)), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["robustness.models", "robustness.models.registry", "robustness.workloads"])
def test_options_load_without_torch(first: str) -> None:
    code = f"import {first}, robustness.models as m, sys; m.MODELS['vgg16'](); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
