"""pytest_vnc_client.py PORT PASSWORD WORD X Y FILE: a test as pytest-vnc's users write them, but without an end.
It clicks and types, and goes on saving the screen."""

import sys

import pytest
from pytest_vnc import Point

import latest


def test_screen(vnc):
    word, x, y, path = sys.argv[3:]
    latest.save(vnc.capture(), path)
    vnc.move(Point(int(x), int(y)))
    vnc.click()
    vnc.write(word)
    while True:
        latest.save(vnc.capture(), path)
        vnc.sleep(0.05)


if __name__ == "__main__":
    settings = ["vnc_host=127.0.0.1", f"vnc_port={sys.argv[1]}", f"vnc_passwd={sys.argv[2]}"]
    options = [option for setting in settings for option in ("-o", setting)]
    sys.exit(pytest.main(["-p", "no:cacheprovider", *options, __file__]))
