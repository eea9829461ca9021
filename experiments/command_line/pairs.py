"""Arguments that say which pair, which networks, and how they are trained."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from obsvae.errors import UsageError
from obsvae.experiments.architectures import ARCHITECTURES
from obsvae.experiments.command_line.arguments import add_device, positive_float, positive_int, seed
from obsvae.experiments.own.imported import FORM
from obsvae.guides import GUIDES
from obsvae.model import PRIORS
from obsvae.options import HasOptions, chosen, described


def add_described(
    parser: argparse._ActionsContainer,
    kind: str,
    known: Mapping[str, HasOptions],
    default: str,
    words: str,
    shown: Mapping[str, HasOptions] | None = None,
) -> None:
    """Add ``--KIND NAME[:OPTION=VALUE,...]``.

    Args:
        parser: to add it to.
        kind: the kind of thing that is named, and the name of the argument.
        known: by name.
        default: where the argument is not given.
        words: what it says, for the help.
        shown: those that the help shows, with all options at their defaults; by default all.
    """
    *others, last = (described(name, one.options) for name, one in (known if shown is None else shown).items())
    parser.add_argument(
        f"--{kind}",
        type=spec_of(kind, known),
        default=default,
        metavar="NAME[:OPTION=VALUE,...]",
        help=f"{words}: {', '.join(others)} or {last} (default: {default})",
    )


def spec_of(kind: str, known: Mapping[str, HasOptions]) -> Callable[[str], str]:
    """Return a converter that takes a name with options, and tells what is wrong with any other text."""

    def convert(text: str) -> str:
        try:
            chosen(kind, text, known)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return convert


def add_network(
    parser: argparse.ArgumentParser,
    *,
    latent: int = 40,
    hidden: Sequence[int] | None = None,
    epochs: int | None = None,
) -> None:
    """Add the arguments that say which networks, and how they are trained.

    Args:
        parser: to add them to.
        latent: default of ``--latent``.
        hidden: default of ``--hidden``; None: the architecture's own sizes.
        epochs: default of ``--epochs``; None: until validation has stopped improving.
    """
    sizes = _sizes() if hidden is None else " ".join(map(str, hidden))
    group = parser.add_argument_group("networks")
    group.add_argument(
        "--latent", type=positive_int, default=latent, metavar="D", help=f"size of z (default: {latent})"
    )
    group.add_argument(
        "--hidden",
        type=positive_int,
        nargs="+",
        default=hidden,
        metavar="H",
        help=f"hidden layers from x to z, mirrored in the decoder: widths or channels (default: {sizes})",
    )
    add_described(group, "architecture", ARCHITECTURES, "mlp", "of the networks")
    group = parser.add_argument_group("training")
    usual = "until validation stops improving" if epochs is None else str(epochs)
    group.add_argument(
        "--epochs", type=positive_int, default=epochs, metavar="N", help=f"passes over the data (default: {usual})"
    )
    group.add_argument("--batch-size", type=positive_int, default=100, metavar="N", help="minibatch (default: 100)")
    group.add_argument("--lr", type=positive_float, default=1e-3, help="Adam's learning rate (default: 0.001)")
    group.add_argument("--seed", type=seed, default=0, metavar="N", help="of weights and minibatches (default: 0)")
    add_device(group)


def add_pair(parser: argparse.ArgumentParser, *, needs_density: bool = False) -> None:
    """Add the arguments that say which guide and which prior.

    Args:
        parser: to add them to.
        needs_density: whether the help offers only guides that have a density.
    """
    offered = {name: guide for name, guide in GUIDES.items() if guide.has_density or not needs_density}
    words = "q(z | x)" if needs_density else "q(z | x), of which delta makes a plain autoencoder"
    add_described(parser, "guide", GUIDES, "normal", words, shown=offered)
    add_described(parser, "prior", PRIORS, "standard-normal", "p(z)")


def add_own(parser: argparse.ArgumentParser) -> None:
    """Add ``--decoder`` and ``--encoder``, networks of the user's own."""
    group = parser.add_argument_group("networks of your own (docs/guides-and-priors.md)")
    group.add_argument(
        "--decoder",
        metavar=FORM,
        help="a class of torch Modules, called with (latent, event_shape, outputs, hidden), in the place of the "
        "architecture's decoder; a run that names one imports that module wherever it is read",
    )
    group.add_argument(
        "--encoder", metavar=FORM, help="likewise, called with (shape, outputs, hidden), in the place of its encoder"
    )


def network_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of ``make_pair`` that :func:`add_network` has added."""
    return {name: getattr(args, name) for name in ("latent", "hidden", "architecture")}


def training_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of ``fit`` that :func:`add_network` has added."""
    return {name: getattr(args, name) for name in ("epochs", "batch_size", "lr", "seed")}


def _sizes() -> str:
    return ", ".join(f"{' '.join(map(str, kind.hidden))} for {name}" for name, kind in ARCHITECTURES.items())
