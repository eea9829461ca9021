"""Settings that hold for a while."""

import torch

from obsvae.inference import flushing_denormals


def test_denormals_are_zero_for_a_while():
    tiny = torch.tensor(1e-30)
    product = tiny * 1e-10
    assert product > 0
    with flushing_denormals():
        assert tiny * 1e-10 == 0
        assert tiny * 1e-7 > 0
    assert tiny * 1e-10 == product
