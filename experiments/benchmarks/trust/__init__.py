"""How often an estimate of log p(x) is wrong and does not say so, counted against quadrature."""
