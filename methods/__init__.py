"""Every method of the suite, by name: a function of its options that returns a `Method`."""

from methods.channels import channels
from methods.dense import dense
from methods.kd import kd, student
from methods.lsq import lsq
from methods.magnitude import magnitude
from methods.magnitude_rtn import magnitude_rtn
from methods.random import random
from methods.rtn import rtn, rtn_static

METHODS = {
    "dense": dense,
    "rtn": rtn,
    "rtn_static": rtn_static,
    "lsq": lsq,
    "magnitude": magnitude,
    "random": random,
    "channels": channels,
    "kd": kd,
    "student": student,
    "magnitude_rtn": magnitude_rtn,
}
