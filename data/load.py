"""One way to data: `load` by name or path."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data import arrays, torchvision_sets, transforms
from data.dataset import Dataset
from data.scaling import Scaling
from data.stored import Stored
from data.words import unknown

SOURCES: dict[str, Callable[[], Stored]] = {
    "digits": arrays.digits,
    "mnist": torchvision_sets.mnist,
    "fashion-mnist": torchvision_sets.fashion_mnist,
    "kmnist": torchvision_sets.kmnist,
    "omniglot": torchvision_sets.omniglot,
    "cifar10": torchvision_sets.cifar10,
    "freyfaces": arrays.frey_faces,
}

names = tuple(SOURCES)


def load(
    name: str,
    *,
    binarise: str | None = None,
    dequantise: bool = False,
    warp: float | None = None,
    scaling: str | None = None,
    bounds: tuple[float, float] | None = None,
    seed: int = 0,
) -> Dataset:
    """Return a dataset in data units; the same arguments give the same tensors.

    Args:
        name: one of `names`, or the path of a .npy or .npz file. How it splits depends on nothing else.
        binarise: None, "dynamic", "static" or "threshold".
        dequantise: add uniform noise within each grid cell.
        warp: None, or γ from −½ to below ½: bring the data to [0, 1], from binary by way of grey to mid-grey.
        scaling: None, "standardise" or "unit-interval": recorded as `Dataset.scaling`, not applied.
        bounds: (low, high) that the data are known to lie within, in place of those that the source declares.
        seed: of the draws of binarise and dequantise.

    Raises ValueError for an unknown name, data that cannot be had or read, data that no model could be trained on,
    data outside the bounds, and arguments that do not fit together.
    """
    if binarise is not None and dequantise:
        raise ValueError("needs one of binarise and dequantise; got both: zeros and ones want no noise, so drop one")
    if scaling is not None and scaling not in SCALINGS:
        raise unknown("scaling", scaling, SCALINGS)
    stored = _source(str(name))()
    if bounds is not None:
        stored = stored.within(bounds, repr(name))
    dataset = stored.dataset(str(name))
    if binarise is not None:
        dataset = transforms.binarise(dataset, binarise, seed)
    if dequantise:
        dataset = transforms.dequantise(dataset, seed)
    if warp is not None:
        dataset = transforms.warp(dataset, warp)
    return dataset if scaling is None else replace(dataset, scaling=SCALINGS[scaling](dataset))


def _source(name: str) -> Callable[[], Stored]:
    if name in SOURCES:
        return SOURCES[name]
    if Path(name).suffix.lower() in {".npy", ".npz"}:
        return lambda: arrays.from_file(name)
    raise unknown("data", name, SOURCES, otherwise=", or a path to .npy or .npz")


def _standardise(dataset: Dataset) -> Scaling:
    return Scaling.standardise(dataset.train)


def _unit_interval(dataset: Dataset) -> Scaling:
    if dataset.bounds is None:
        raise ValueError(
            f"scaling 'unit-interval' needs declared bounds; {dataset.name!r} has none: "
            "pass bounds=(low, high), or scaling='standardise'"
        )
    return Scaling.unit_interval(dataset.bounds)


SCALINGS: dict[str, Callable[[Dataset], Scaling]] = {"standardise": _standardise, "unit-interval": _unit_interval}
