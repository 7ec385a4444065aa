"""The project's code as one file that goes along with a run: which files, nothing secret among them, packed and unpacked."""
