"""The image of the steps: its tag, and who builds and pushes it."""
