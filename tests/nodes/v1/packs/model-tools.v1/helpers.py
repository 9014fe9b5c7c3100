import os


def describe(path):
    return os.path.basename(path).upper()
