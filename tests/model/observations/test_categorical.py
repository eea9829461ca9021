"""Levels without order, as whole numbers of any dtype."""

import pytest
import torch

from obsvae.model import Categorical


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.float32])
def test_levels_of_any_dtype(dtype):
    observation = Categorical(4)
    x = torch.randint(4, (200, 3), generator=torch.Generator().manual_seed(0))
    eta = torch.randn(200, 3, 4, generator=torch.Generator().manual_seed(1))
    observation.check(x.to(dtype))
    expected = torch.log_softmax(eta, -1).gather(-1, x[..., None])[..., 0]
    torch.testing.assert_close(observation(eta).log_prob(x.to(dtype)), expected)
    start = observation.initialise(x.to(dtype))
    frequencies = torch.stack([(x == level).double().mean(0) for level in range(4)], -1)
    torch.testing.assert_close(start.double().exp(), frequencies, rtol=0, atol=1 / 200)
