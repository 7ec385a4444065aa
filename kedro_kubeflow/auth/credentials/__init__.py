"""What every way to authenticate is made of: secrets by reference, tokens that are renewed, headers, redaction."""
