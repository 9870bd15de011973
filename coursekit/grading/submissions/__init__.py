"""What was handed in: files found in strangers' folders and zips, and notebooks read as data."""
