"""Distillation: the rows of its methods."""

from methods.base import Entry
from methods.distillation.fitnets import FITNETS
from methods.distillation.kd import KD
from methods.distillation.student import STUDENT

METHODS: dict[str, Entry] = {
    "fitnets": FITNETS,
    "kd": KD,
    "student": STUDENT,
}
