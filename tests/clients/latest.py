"""For the Python programs here: saving a picture under its name only when it is whole."""

import os

from PIL import Image


def save(rgba, path):
    Image.fromarray(rgba[:, :, :3].copy()).save(f"{path}.part", format="PPM")
    os.replace(f"{path}.part", path)
