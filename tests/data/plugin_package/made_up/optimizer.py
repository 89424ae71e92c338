"""Sign descent: theta <- theta (1 - eta lambda) - eta sign(g)."""

from robustness.optimizers import Optimizer


class Signs(Optimizer):
    """Steps along the gradient's signs, with decoupled weight decay."""

    convention = "decoupled"
    scale: float = 1.0

    def rule(self, weights, weight_decay, size):
        from made_up.torch_signs import SignsRule

        return SignsRule(weights, weight_decay, self.scale)

    def torch_optimizer(self, parameters, lr, weight_decay):
        from made_up.torch_signs import TorchSigns

        return TorchSigns(parameters, lr=lr, weight_decay=weight_decay, scale=self.scale)
