"""Every decision of a pipeline: which steps, which tasks around them, how data travel, what each is given."""
