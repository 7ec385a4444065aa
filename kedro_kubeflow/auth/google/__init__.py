"""Google's identities: ID tokens and access tokens, by google-auth alone."""
