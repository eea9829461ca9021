"""Times of training and of likelihood estimates."""
