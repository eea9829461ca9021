"""Work in folders, one after another or in processes of their own, that goes on where it was interrupted."""
