"""In the pod: the contract read backwards.

Imports neither kfp nor the compiler: a pod pays for its work alone.
"""
