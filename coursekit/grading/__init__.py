"""From a folder of what students handed in to a gradebook that an instructor can defend."""
