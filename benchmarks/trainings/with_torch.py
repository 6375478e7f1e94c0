"""Train with PyTorch: an exported program, TorchScript, and a state dict with its code."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

CODE = '''"""The network of torch_state.pt."""

import torch


class Net(torch.nn.Module):
    """Two layers over 8 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(8, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Dropout(),
            torch.nn.Linear(16, 3),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return probabilities of 3 classes for rows of 8 numbers."""
        return torch.softmax(self.layers(features), dim=-1)
'''


def main(out: Path) -> None:
    """Write three models to ``out``."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    (out / "torch_state.py").write_text(CODE)
    scope: dict[str, object] = {}
    exec(CODE, scope)
    net = scope["Net"]()  # type: ignore[operator]
    rows = torch.randn(256, 8)
    optimiser = torch.optim.Adam(net.parameters())
    for _ in range(30):
        optimiser.zero_grad()
        torch.nn.functional.nll_loss(
            torch.log(net(rows)), (rows[:, 0] > 0).long() + (rows[:, 1] > 0).long()
        ).backward()
        optimiser.step()
    net.eval()
    torch.save(net.state_dict(), out / "torch_state.pt")
    torch.jit.trace(net, rows[:2]).save(str(out / "torch_script.pt"))
    free = {"features": {0: torch.export.Dim("batch")}}
    exported = torch.export.export(net, (rows[:2],), dynamic_shapes=free)
    torch.export.save(exported, out / "torch_exported.pt2")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
