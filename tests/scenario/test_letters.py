"""Goal: what is said to somebody who is not here waits for him, sealed, and each of his devices gets
it once, whatever happens in between; the hub cannot read it."""

import json
import os
import signal
import subprocess

import pexpect
import pytest
from hubs import PATIENCE, until
from people import PASSWORD
from talk import alice, bob, leave, make_person  # noqa: F401


def waits(one, devices=1):
    return f"bob {one}; a letter waits for bob, sealed, for {devices} device"
