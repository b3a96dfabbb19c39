"""Rows to numbers: vocabularies, pure transforms, and the one assembler of model inputs."""
