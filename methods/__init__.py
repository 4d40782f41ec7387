"""Every method of the suite by name. A new method is one file and one row here."""

from methods.base import Entry
from methods.chains import MAGNITUDE_RTN
from methods.channels import CHANNELS
from methods.dense import DENSE
from methods.kd import KD, STUDENT
from methods.lsq import LSQ
from methods.magnitude import MAGNITUDE
from methods.random import RANDOM
from methods.rtn import RTN, RTN_STATIC

METHODS: dict[str, Entry] = {
    "dense": DENSE,
    "rtn": RTN,
    "rtn_static": RTN_STATIC,
    "lsq": LSQ,
    "magnitude": MAGNITUDE,
    "random": RANDOM,
    "channels": CHANNELS,
    "kd": KD,
    "student": STUDENT,
    "magnitude_rtn": MAGNITUDE_RTN,
}
