"""The public names, written down: to add or to take away one is a decision."""

import importlib

import pytest

import obsvae

OF = {
    "data": """
        Column Dataset Grid Kind Look SOURCES Suspicion load look_at suspicions_of
    """,
    "experiments": """
        ARCHITECTURES Answer Architecture Bracketed Candidate ColumnScores Comparison Contender Evaluation
        Filled Finding Learning ParticleCurves Question Recommendation Refusal Remark Report RowScores Rows Run
        Score Scored bracket_run column_scores compare create_run encode_rows evaluate_run impute_rows
        load_config load_history load_run load_weights make_pair make_report particle_curves recommend
        reproduce_rows resume_run rows_for sample_rows save_datatree save_figure save_history save_json
        save_text save_weights score score_rows train_run write_report
    """,
    "guides": """
        AmortisedDelta AmortisedFlow AmortisedFullRank AmortisedLowRank AmortisedMixture AmortisedNormal
        AmortisedStudentT ColumnInputs ConvEncoder CosineSine Encoder GUIDES Guide Inputs Logarithm MLPEncoder OneHot
        ResidualEncoder Standardised make_guide
    """,
    "inference": """
        Amortised AmortisedGuide Annealed Bracket Calibration Callback ColumnFit ColumnLike ConditionalScores
        Curve Difference Direction Epoch GenerativeModel History Imputed KHAT_LIMIT LogLikelihood Mean Median
        Misfit MissedMass Mode OBJECTIVES PairFit Point Predictive Processes ProcessesParted Proposal Refined
        SCHEDULES Sampler Shares StopTraining TrainingDiverged TrainingState UMAP_DATA Watch WeightDiagnostics
        active_units amortisation_gap bidirectional by_value calibrate can_umap check_misfits check_predictive
        column_fits compare_trees conditional_scores counts_up_to diagnose elbo elbo_shares
        estimates_by_particles feature_dims fit flushing_denormals impute interpolations join kl_by_dimension
        limits_of log_likelihood make_objective mean_curves misfits missed_mass nearest of_guide pair_fits
        paired_difference plot_against plot_calibration plot_column_fits plot_column_gains
        plot_column_reproductions plot_column_walks plot_columns plot_comparison plot_data plot_dependence
        plot_gaps plot_history plot_latents plot_learning plot_marginals plot_pairs plot_particles
        plot_predictive plot_ranking plot_reproductions plot_transforms posterior posterior_means prior_draws
        prior_means project rank reproduce reproduce_columns reproductions spread to_arviz to_elpd traversals
        walk_columns
    """,
    "model": """
        Affine BY_COLUMN Bernoulli Beta Binomial ByColumn Categorical Cells ContinuousBernoulli ConvDecoder
        Correction Decoder Dequantised Discretised FlowPrior Gamma Kumaraswamy Laplace Log LogNormal Logistic
        Logit LogitNormal MLPDecoder Measure MeasureMismatch Mixture MixturePrior NegativeBinomial Normal
        NormalPrior OBSERVATIONS Observation Option Ordinal PRIORS Partial Poisson Prior ResidualDecoder
        Spread StandardNormal StudentT Support TRANSFORMS Transformed TruncatedNormal Units
        UnnormalisedBernoulli VAE VampPrior VonMises WRAPPERS Weibull YeoJohnson ZeroInflated by_column_text
        families_of log_interval_mass make_observation make_prior on_common_scale on_grid options_of
        require_one_dataset require_one_measure resolved share_at_floor
    """,
}
# What obsvae has beside the names of its parts.
OWN = """
    UsageError
"""
HOW = "put it right here, and tell of it in CHANGELOG.md: others build on these names"


@pytest.mark.parametrize("part", OF)
def test_the_public_names_of_a_part_are_those_that_were_decided(part):
    assert sorted(importlib.import_module(f"obsvae.{part}").__all__) == sorted(OF[part].split()), HOW


def test_the_public_names_are_those_of_the_parts():
    assert sorted(obsvae.__all__) == sorted({*" ".join([OWN, *OF.values()]).split()}), HOW
