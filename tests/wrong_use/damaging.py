"""Sound bytes and texts, and what becomes of them by accident."""

from hypothesis import strategies as st


@st.composite
def damaged(draw, content):
    """Return bytes that are cut, have some bits flipped, or some bytes taken out or put in."""
    whole = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(whole) - 1)))
        kind = draw(st.sampled_from(["cut", "flip", "out", "in"]))
        if kind == "cut":
            del whole[at:]
        elif kind == "flip" and whole:
            whole[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "out":
            del whole[at : at + draw(st.integers(1, 20))]
        else:
            whole[at:at] = draw(st.binary(min_size=1, max_size=8))
    return bytes(whole)
