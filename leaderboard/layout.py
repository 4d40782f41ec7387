from pathlib import Path
RESULTS = Path(__file__).parent / "results"
def strength_text(strength):
    return "+".join(repr(float(p)).removesuffix(".0") for p in strength)
def strength_folder(strength):
    return strength_text(strength) or "none"
def dense_folder(workdir, task, identity, seed, teacher=False):
    return Path(workdir) / task / f"{'teacher' if teacher else 'dense-net'}-{identity}" / f"seed{seed}"
def run_folder(workdir, task, method, identity, strength, seed):
    return Path(workdir) / task / f"{method}-{identity}" / strength_folder(strength) / f"seed{seed}"
def record_file(folder, task, method, digest):
    return Path(folder) / task / f"{method}-{digest}.json"
