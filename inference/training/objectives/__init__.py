"""What training maximises."""
