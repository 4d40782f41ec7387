"""Every dataset that is fetched, by name. A new one is one file and one row here."""

from tasks.data import cifar, fsdd, mnist, shakespeare, speech_commands, sst2, wikitext

_ALL = (
    mnist.DATASET,
    cifar.CIFAR10,
    cifar.CIFAR100,
    shakespeare.DATASET,
    sst2.DATASET,
    wikitext.DATASET,
    fsdd.DATASET,
    speech_commands.DATASET,
)
DATASETS = {dataset.name: dataset for dataset in _ALL}
