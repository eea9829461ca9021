"""Time of a step of training, in turn with other programs that train the same networks on the same data."""
