"""Every task by name. A new task is one file and one row here."""

from tasks.language import pydoc, shakespeare, sst2, wikitext2
from tasks.speech import fsdd, fsdd_ctc, speech_commands, spoken_digits
from tasks.vision import cifar, digits, mnist

_ALL = (
    digits.TASK,
    pydoc.TASK,
    spoken_digits.TASK,
    mnist.LENET300,
    mnist.LENET5,
    mnist.MLP800,
    cifar.RESNET8,
    cifar.RESNET20,
    cifar.RESNET56,
    cifar.VGG16,
    *cifar.HUNDRED,
    shakespeare.NANO,
    shakespeare.GPT,
    sst2.TASK,
    wikitext2.TASK,
    fsdd.DSCNN_OFFICIAL,
    *fsdd.SPEAKERS,
    fsdd_ctc.TASK,
    speech_commands.DSCNN,
    speech_commands.BCRESNET,
)
TASKS = {task.name: task for task in _ALL}
