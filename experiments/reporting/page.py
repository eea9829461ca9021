"""What a report's page is made of."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 110
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Picture:
    """A figure as PNG in base64, with its size in CSS pixels, an alternative text and a caption."""

    png: str
    width: int
    height: int
    alt: str
    caption: str


@dataclass(frozen=True)
class Table:
    """A table of the page, of values in one line each or of words, which may take several."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    kind: str = "values"


@dataclass(frozen=True)
class Part:
    """A section: pictures and tables, or a note on why there are none."""

    title: str
    text: str = ""
    content: list[Picture | Table] = field(default_factory=list)
    note: str = ""

    @property
    def figures(self) -> list[Picture]:
        """The pictures alone."""
        return [one for one in self.content if isinstance(one, Picture)]

    @property
    def tables(self) -> list[Table]:
        """The tables alone."""
        return [one for one in self.content if isinstance(one, Table)]


def picture(figure: "Figure", alt: str, caption: str) -> Picture:
    """Return a figure for the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=_DPI, format="png")
    width, height = (round(96 * size) for size in figure.get_size_inches())
    return Picture(base64.b64encode(buffer.getvalue()).decode("ascii"), width, height, alt, caption)


def rendered(template: Path, **content: object) -> str:
    """Return a page that needs no other file.

    Args:
        template: the page, in the frame ``base.html.jinja`` or by itself.
        content: by the names that the template and the frame use.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only a page needs it

    page = Environment(
        loader=FileSystemLoader([_HERE, template.parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return page.get_template(template.name).render(**content)
