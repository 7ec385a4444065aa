"""Files that are made for a project: its configuration, workflows of a CI service."""
