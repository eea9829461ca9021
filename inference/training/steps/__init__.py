"""The steps of a training: one after another, compiled, or shared by several processes."""
