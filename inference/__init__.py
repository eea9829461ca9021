"""SVI training, importance-weighted likelihood, diagnostics, run folders and figures."""

from inference.annealed import Annealed
from inference.bidirectional import Bracket, bidirectional
from inference.comparison import plot_comparison
from inference.diagnostics import KHAT_LIMIT, WeightDiagnostics, diagnose, estimates_by_particles
from inference.export import to_datatree
from inference.figures import plot_data, plot_history, plot_reproductions
from inference.history import Epoch, History
from inference.latents import posterior, prior_means, reproduce
from inference.likelihood import LogLikelihood, log_likelihood
from inference.likelihood_figures import counts_up_to, plot_particles
from inference.modes import flushing_denormals
from inference.proposals import Amortised, Proposal, is_point_mass
from inference.ranking import Curve, Difference, paired_difference, rank, spread
from inference.ranking_figures import plot_against, plot_learning, plot_ranking
from inference.refined import Refined
from inference.runs import (
    create_run,
    load_config,
    load_weights,
    save_datatree,
    save_figure,
    save_history,
    save_json,
    save_text,
    save_weights,
)
from inference.svi import TrainingDiverged, fit

__all__ = [
    "KHAT_LIMIT",
    "Amortised",
    "Annealed",
    "Bracket",
    "Curve",
    "Difference",
    "Epoch",
    "History",
    "LogLikelihood",
    "Proposal",
    "Refined",
    "TrainingDiverged",
    "WeightDiagnostics",
    "bidirectional",
    "counts_up_to",
    "create_run",
    "diagnose",
    "estimates_by_particles",
    "fit",
    "flushing_denormals",
    "is_point_mass",
    "load_config",
    "load_weights",
    "log_likelihood",
    "paired_difference",
    "plot_against",
    "plot_comparison",
    "plot_data",
    "plot_history",
    "plot_learning",
    "plot_particles",
    "plot_ranking",
    "plot_reproductions",
    "posterior",
    "prior_means",
    "rank",
    "reproduce",
    "save_datatree",
    "save_figure",
    "save_history",
    "save_json",
    "save_text",
    "save_weights",
    "spread",
    "to_datatree",
]
