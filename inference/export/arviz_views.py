"""The DataTree in the shapes that some of ArviZ asks for."""

from typing import TYPE_CHECKING

import numpy as np

from obsvae.errors import UsageError

if TYPE_CHECKING:
    import xarray as xr

_OF_FEATURES = (
    "posterior_predictive",
    "prior_predictive",
    "log_likelihood",
    "guide_log_likelihood",
    "observed_data",
)


def by_value(tree: "xr.DataTree") -> "xr.DataTree":
    """Return a tree with ``datum`` and features in one dimension ``value``, row by row.

    Most of ArviZ's predictive plots take data of one dimension. Values of one datum depend on one another; these plots
    take them for independent, so that their bands are too narrow.

    Args:
        tree: as :func:`obsvae.to_arviz` returns it.
    """

    def stacked(group: "xr.Dataset") -> "xr.Dataset":
        dims = [dim for dim in group["x"].dims if dim not in ("chain", "draw")]
        flat = group.stack(value=dims, create_index=False).drop_vars(dims)
        return flat.assign_coords(value=np.arange(flat.sizes["value"]))

    import xarray as xr  # takes half a second to load

    groups = {name: group.to_dataset() for name, group in tree.children.items()}
    flat = {n: stacked(group) if n in _OF_FEATURES else group for n, group in groups.items()}
    return xr.DataTree.from_dict({"/": tree.to_dataset(), **flat})


def of_guide(tree: "xr.DataTree", datum: int) -> "xr.DataTree":
    """Return a tree of one datum alone, with the guide's draws as ``posterior``, and their ``log_likelihood``.

    Args:
        tree: as :func:`obsvae.to_arviz` returns it.
        datum: its index.

    Raises:
        UsageError: where the guide is a point mass.
    """
    if "guide_log_likelihood" not in tree:
        raise UsageError("the guide puts a point mass on 'z': its draws have no density to be weighted by")
    found = {"posterior": "guide", "log_likelihood": "guide_log_likelihood", "observed_data": "observed_data"}
    of_datum = {name: tree[group].to_dataset().isel(datum=datum) for name, group in found.items()}
    import xarray as xr  # takes half a second to load

    return xr.DataTree.from_dict({"/": tree.to_dataset(), **of_datum})
