"""Sign descent for R runs at once, and as an optimizer of torch's kind."""

import torch


class SignsRule:
    def __init__(self, weights, weight_decay, scale):
        self.weights, self.weight_decay, self.scale = weights, weight_decay, scale

    def step(self, gradient, lr):
        self.weights.mul_(1 - (lr * self.weight_decay)[:, None])
        self.weights.addcmul_(gradient.sign_(), lr[:, None], value=-self.scale)

    def keep(self, rows, weights):
        self.weights, self.weight_decay = weights, self.weight_decay[rows]

    @property
    def effective_decay(self):
        return self.weight_decay

    @property
    def root_mean_v(self):
        return torch.full_like(self.weight_decay, torch.nan)


class TorchSigns(torch.optim.Optimizer):
    def __init__(self, parameters, lr, weight_decay, scale):
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "scale": scale})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weights in (each for each in group["params"] if each.grad is not None):
                weights.mul_(1 - group["lr"] * group["weight_decay"])
                weights.add_(weights.grad.sign(), alpha=-group["lr"] * group["scale"])
