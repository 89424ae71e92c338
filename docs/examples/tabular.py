"""A perceptron on scikit-learn's breast cancer table: 569 patients, 30 measurements, two classes."""

import torch
from sklearn import datasets, model_selection

from robustness.workloads import Data, Workload


class Tabular(Workload):
    classes = 2
    width: int = 32

    def data(self, seed):
        x, y = datasets.load_breast_cancer(return_X_y=True)
        train, rest = model_selection.train_test_split(range(569), train_size=341, stratify=y, random_state=seed)
        x, y = torch.tensor((x - x[train].mean(0)) / x[train].std(0), dtype=torch.float32), torch.tensor(y)
        return Data(x[train], y[train], x[rest[:114]], y[rest[:114]], x[rest[114:]], y[rest[114:]])

    def model(self):
        return torch.nn.Sequential(torch.nn.Linear(30, self.width), torch.nn.ReLU(), torch.nn.Linear(self.width, 2))
