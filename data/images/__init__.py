"""Images: folders of files, and where arrays have their channels."""
