"""Three clouds of points in four dimensions."""

from robustness.workloads import Data, Workload


class Points(Workload):
    """Points of three classes, told apart by their first coordinate, and a small perceptron."""

    classes = 3
    apart: float = 2.0

    def data(self, seed):
        import torch

        draws = torch.Generator().manual_seed(seed)
        x, y = torch.randn(180, 4, generator=draws), torch.arange(180) % 3
        x[:, 0] += self.apart * y
        return Data(x[:90], y[:90], x[90:135], y[90:135], x[135:], y[135:])

    def model(self):
        import torch

        return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
