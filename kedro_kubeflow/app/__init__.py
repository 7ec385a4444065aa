"""The use cases: a few lines each, joining project, dag, compiler, client and local."""
