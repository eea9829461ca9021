"""Scores of several decoders on warped data: tables and a figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.experiments.csv_files import csv_text
from obsvae.experiments.files import save_figure, save_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLAMPED = "limit=9.21024"  # the logit of 1 - 1e-4
EXPLANATION = """\
All numbers are densities over [0, 1], in nats per image. Exact: the continuous Bernoulli as it is. Clamped: its
parameter kept within [1e-4, 1 - 1e-4], as in the code of the paper, so that no density exceeds 9.2 (2.22 nats a
value). The two differ where data lie closer to 0 or 1 than that density can tell: a background spread evenly below
1/256 has a density of up to 256 (5.5 nats), and data at exactly 0 and 1, as for gamma < 0, have no upper bound at all.
The Normal, whose mean alone is kept within [0, 1], loses what it spreads beyond."""


@dataclass(frozen=True)
class WarpDecoder:
    """A decoder of the study.

    Attributes:
        observation: that it is trained with, as a text.
        is_clamped: whether that is the clamped continuous Bernoulli.
        clamped: clamped densities that it is scored under as well, by name.
    """

    observation: str
    is_clamped: bool = False
    clamped: Mapping[str, str] = field(default_factory=dict)


DECODERS = {
    "Bernoulli": WarpDecoder(
        "unnormalised-bernoulli",
        clamped={
            "as it stands": f"continuous-bernoulli:{CLAMPED}",
            "mean matched": f"continuous-bernoulli:matched=true,{CLAMPED}",
        },
    ),
    "continuous Bernoulli": WarpDecoder("continuous-bernoulli", clamped={"": f"continuous-bernoulli:{CLAMPED}"}),
    "continuous Bernoulli, trained clamped": WarpDecoder(f"continuous-bernoulli:{CLAMPED}", is_clamped=True),
    "Normal": WarpDecoder("normal:scale=decoder,link=sigmoid"),
    "Beta": WarpDecoder("beta:concentration=decoder"),
}


@dataclass(frozen=True)
class WarpScore:
    """A decoder's score on warped data.

    Attributes:
        decoder: that was trained, a key of ``DECODERS``.
        scored: the correction that it is scored under; empty for a distribution.
        is_clamped: whether the density that scores it is clamped.
        gamma: of the warp.
        elbo: nats per image.
        nats_per_datum: the importance-weighted log-likelihood.
        standard_error: of the latter.
        khat: Pareto k̂, median.
    """

    decoder: str
    scored: str
    is_clamped: bool
    gamma: float
    elbo: float
    nats_per_datum: float
    standard_error: float | None
    khat: float | None

    @property
    def line(self) -> str:
        """What was trained and what it is scored as, clamped or not."""
        return f"{self.decoder}, {self.scored}" if self.scored else self.decoder

    @property
    def title(self) -> str:
        """The line, and whether the density is clamped where that is not how it was trained."""
        return f"{self.line}, clamped" if self.is_clamped and not DECODERS[self.decoder].is_clamped else self.line


@dataclass(frozen=True, eq=False)
class WarpStudy:
    """Scores of decoders on warped data.

    Attributes:
        scores: of each decoder at each gamma.
        failures: why a decoder has none, by decoder and gamma.
    """

    scores: Sequence[WarpScore]
    failures: Mapping[tuple[str, float], str]

    def table(self, form: str = "simple") -> str:
        """Return the tables and notes as text, in one of tabulate's formats."""
        gammas = sorted({score.gamma for score in self.scores} | {gamma for _, gamma in self.failures})
        by_title: dict[str, dict[float, WarpScore]] = {}
        for score in self.scores:
            by_title.setdefault(score.title, {})[score.gamma] = score
        parts = []
        for heading, name in (("ELBO", "elbo"), ("Importance-weighted log-likelihood", "nats_per_datum")):
            rows = [
                {"trained as, scored as": title}
                | {f"γ = {g:g}": getattr(found[g], name) if g in found else None for g in gammas}
                for title, found in by_title.items()
            ]
            parts.append(f"{heading}, nats per image\n\n{tabulate(rows, 'keys', form, '.1f', missingval='–')}")
        return "\n\n".join([*parts, EXPLANATION, *self._notes()])

    def _notes(self) -> list[str]:
        by_decoder: dict[str, dict[float, str]] = {}
        for (decoder, gamma), why in self.failures.items():
            by_decoder.setdefault(decoder, {})[gamma] = why
        return [
            f"{decoder} at γ = {', '.join(f'{gamma:g}' for gamma in why)}: {next(iter(why.values()))}"
            for decoder, why in by_decoder.items()
        ]

    def figure(self) -> "Figure":
        """Draw the ELBO against gamma, exact densities beside clamped ones."""
        exact: dict[str, dict[float, float]] = {}
        clamped: dict[str, dict[float, float]] = {}
        for score in sorted(self.scores, key=lambda score: score.gamma):
            (clamped if score.is_clamped else exact).setdefault(score.line, {})[score.gamma] = score.elbo
        panels = {
            "exact; for γ < 0, where data are at 0 and 1, densities have no bound": exact,
            "continuous Bernoulli clamped to [1e-4, 1 − 1e-4]": clamped,
        }
        return inference.plot_against(
            panels, "γ (−½ binary, 0 as it is, ½ grey)", "ELBO, nats per image", linear=2000.0
        )

    def save(self, folder: Path) -> None:
        """Write ``table.md``, ``table.csv`` and ``figures/warp.png``."""
        save_text(folder / "table.md", self.table("github") + "\n")
        rows = [
            {
                "decoder": score.title,
                "gamma": score.gamma,
                "mean_log_weight": score.elbo,
                "nats_per_datum": score.nats_per_datum,
                "standard_error": score.standard_error,
                "khat_median": score.khat,
            }
            for score in self.scores
        ]
        save_text(folder / "table.csv", csv_text(rows))
        save_figure(folder / "figures/warp.png", self.figure())
