"""Every task by name. A new task is one file and one row here."""

from tasks.language import pydoc
from tasks.speech import spoken_digits
from tasks.vision import digits

TASKS = {"digits": digits.TASK, "pydoc": pydoc.TASK, "spoken_digits": spoken_digits.TASK}
