"""The model/guide pair that a configuration describes."""

import argparse
from pathlib import Path
from typing import Any

from command import data_config, hidden

from data import Dataset, load
from guides import AmortisedDelta, AmortisedNormal, make_guide
from inference import load_config, load_weights
from model import VAE, StandardNormal, make_decoder, make_observation

FORMAT = 4  # of config.json


def pair_config(args: argparse.Namespace, observation: str, guide: str) -> dict[str, Any]:
    """Return what :func:`build` and ``data.load`` need, from a command's arguments, to be recorded with a run."""
    return {
        "format": FORMAT,
        "data": data_config(args),
        "observation": observation,
        "architecture": args.architecture,
        "latent": args.latent,
        "hidden": hidden(args),
        "guide": guide,
    }


def build(config: dict[str, Any], data: Dataset) -> tuple[VAE, AmortisedNormal | AmortisedDelta]:
    """Return model and guide, untrained, with weights from torch's current seed."""
    architecture, latent, hidden = config["architecture"], config["latent"], config["hidden"]
    prior = StandardNormal(latent)
    observation = make_observation(config["observation"], data)
    decoder = make_decoder(architecture, latent, data.event_shape, observation.outputs, hidden[::-1])
    model = VAE(prior, decoder, observation)
    return model, make_guide(config["guide"], architecture, data.event_shape, latent, hidden)


def restore(path: str | Path) -> tuple[dict[str, Any], Dataset, VAE, AmortisedNormal | AmortisedDelta]:
    """Return a run's configuration, its data, and its trained pair on the CPU."""
    config = load_config(path)
    if config.get("format") != FORMAT:
        raise ValueError(
            f"{path} was written in format {config.get('format')}, but format {FORMAT} is needed; train it again"
        )
    try:
        data = load(**config["data"])
        model, guide = build(config, data)
        recorded, _ = config["data_sha256"], config["outcome"]["stopped"]
    except (AttributeError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        why = " ".join(str(error).split())
        raise ValueError(f"{path}/config.json lacks or misstates something ({why}); train the run again") from None
    if data.sha256 != recorded:
        raise ValueError(
            f"{path} was trained on other data than {data.name} now holds (their SHA-256 differ); put the old data "
            "back, or train the run again"
        )
    load_weights(path, model, guide)
    return config, data, model, guide
