"""Colours that colour-blind people can tell apart."""

# Okabe and Ito's palette without its yellow, which is too light for lines.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
BLUE, ORANGE, VERMILION = COLOURS[0], COLOURS[1], COLOURS[3]
