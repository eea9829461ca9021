"""What the commands share: arguments, and errors of one line."""
