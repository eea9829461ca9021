"""What the diagnostics on a report's page mean."""

GLOSSARY = (
    (
        "log p(x)",
        "The log-likelihood of held-out data in nats per datum, an average of importance weights. In expectation it is "
        "a lower bound. A density is per unit of the data and may be positive; a mass never is.",
    ),
    (
        "measure",
        "Where the data lie on a grid, such as grey levels, the numbers are masses of the grid's cells: those of any "
        "two families compare. The density that a family was trained by stands beside its mass, and is not ranked. "
        "Without a grid a density and a mass are never compared: they stand in tables of their own.",
    ),
    (
        "ELBO",
        "The bound that the guide reaches by itself, by the same measure as log p(x). The difference to log p(x) is "
        "the mean KL divergence of the guide from the posterior.",
    ),
    (
        "k̂",
        "Pareto k̂ of the weights. At most 0.7: the weights give no reason to distrust their average, though of a mode "
        "that no particle has reached they cannot tell. Above: it converges too "
        "slowly; the estimate is probably too low, by an unknown amount, whatever its standard error.",
    ),
    ("ESS", "Effective sample size: the number of equal weights with the same noise. Below 10 it is flagged."),
    ("flagged", "The share of data whose estimate is not to be trusted: k̂ above 0.7 or unknown, or an ESS below 10."),
    (
        "amortisation gap",
        "The refined less the amortised estimate: how much of log p(x) the guide's particles miss.",
    ),
    (
        "probability integral transform",
        "Where a held-out value ranks among values that the model draws; uniform where the model is right. A curve "
        "outside the grey band is more than chance.",
    ),
    (
        "coverage",
        "The share of held-out values within the model's central intervals. Below the line: the model is too sure; "
        "above: not sure enough.",
    ),
    (
        "distance and bound",
        "Of a column of a table: how far its held-out values are from those that the model draws, and how far they are "
        "in one of twenty cases where the model is right. Beyond the bound: more than chance, unless the columns are "
        "many.",
    ),
    (
        "Cramér's V",
        "How strongly two columns depend on one another, from 0 to 1. That of the data outside the range of as many "
        "draws: the model makes too much or too little of it; a right model does so in 2 of 21 cases.",
    ),
    (
        "calibration",
        "Data are drawn from the model, and the latent that made each is ranked among draws from its posterior. A bow "
        "outside the band: a posterior that is too narrow, too wide, or beside the truth.",
    ),
    ("active", "A latent dimension whose posterior mean varies over data by more than 0.01; the others are the prior."),
    ("mean, sample, parameter", "E[x | z], a draw from p(x | z), and the link's output, where that is not the mean."),
)
