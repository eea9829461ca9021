"""SVI training, importance-weighted likelihood, diagnostics, run folders and figures."""

from inference.annealed import Annealed
from inference.arviz_tree import to_arviz, to_elpd
from inference.arviz_views import by_value, of_guide
from inference.bidirectional import Bracket, bidirectional
from inference.calibration import Calibration, calibrate
from inference.calibration_figures import plot_calibration
from inference.comparison import plot_comparison
from inference.diagnostics import (
    KHAT_LIMIT,
    WeightDiagnostics,
    amortisation_gap,
    diagnose,
    estimates_by_particles,
)
from inference.features import feature_dims
from inference.figures import limits_of, plot_data, plot_history, plot_reproductions
from inference.history import Epoch, History
from inference.latent_figures import plot_latents
from inference.latent_space import (
    UMAP_DATA,
    active_units,
    can_umap,
    interpolations,
    kl_by_dimension,
    nearest,
    posterior_means,
    project,
    traversals,
)
from inference.latents import posterior, prior_draws, prior_means, reproduce, reproductions
from inference.likelihood import LogLikelihood, log_likelihood
from inference.likelihood_figures import counts_up_to, mean_curves, plot_gaps, plot_particles
from inference.modes import flushing_denormals
from inference.predictive import Predictive, check_predictive
from inference.predictive_figures import plot_predictive
from inference.proposals import Amortised, Proposal, is_point_mass
from inference.ranking import Curve, Difference, paired_difference, rank, spread
from inference.ranking_figures import plot_against, plot_learning, plot_ranking
from inference.refined import Refined
from inference.runs import (
    create_run,
    load_config,
    load_history,
    load_weights,
    save_datatree,
    save_figure,
    save_history,
    save_json,
    save_text,
    save_weights,
)
from inference.svi import TrainingDiverged, fit
from inference.watch import Watch

__all__ = [
    "KHAT_LIMIT",
    "UMAP_DATA",
    "Amortised",
    "Annealed",
    "Bracket",
    "Calibration",
    "Curve",
    "Difference",
    "Epoch",
    "History",
    "LogLikelihood",
    "Predictive",
    "Proposal",
    "Refined",
    "TrainingDiverged",
    "Watch",
    "WeightDiagnostics",
    "active_units",
    "amortisation_gap",
    "bidirectional",
    "by_value",
    "calibrate",
    "can_umap",
    "check_predictive",
    "counts_up_to",
    "create_run",
    "diagnose",
    "estimates_by_particles",
    "feature_dims",
    "fit",
    "flushing_denormals",
    "interpolations",
    "is_point_mass",
    "kl_by_dimension",
    "limits_of",
    "load_config",
    "load_history",
    "load_weights",
    "log_likelihood",
    "mean_curves",
    "nearest",
    "of_guide",
    "paired_difference",
    "plot_against",
    "plot_calibration",
    "plot_comparison",
    "plot_data",
    "plot_gaps",
    "plot_history",
    "plot_latents",
    "plot_learning",
    "plot_particles",
    "plot_predictive",
    "plot_ranking",
    "plot_reproductions",
    "posterior",
    "posterior_means",
    "prior_draws",
    "prior_means",
    "project",
    "rank",
    "reproduce",
    "reproductions",
    "save_datatree",
    "save_figure",
    "save_history",
    "save_json",
    "save_text",
    "save_weights",
    "spread",
    "to_arviz",
    "to_elpd",
    "traversals",
]
