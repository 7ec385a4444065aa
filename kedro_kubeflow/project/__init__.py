"""The Kedro side: opens a project and gives its parts as plain values."""
