"""What runs have made, brought back: which artifacts there are, their files, the objects in them."""
