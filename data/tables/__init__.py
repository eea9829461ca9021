"""Tables: files and frames whose columns have kinds of their own."""
