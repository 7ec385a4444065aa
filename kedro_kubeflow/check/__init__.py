"""What can be told of a run before it starts: one module a subject, each gives findings."""
