"""What ran where: versions, hardware and the state of the code, for run folders and the manifest."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version

from fer_lib.files import ROOT

PACKAGES = (
    "numpy",
    "pandas",
    "scikit-learn",
    "scikit-learn-intelex",
    "torch",
    "torchvision",
    "lightning",
    "kornia",
    "mediapipe",
    "opencv-python-headless",
)


def environment() -> dict:
    """Python and package versions, processor, memory, GPU, git commit and whether the tree was dirty."""
    return {
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory_gb(),
        "gpu": _gpu(),
        **git_state(),
    }


def peak_memory_gb() -> float:
    """The most memory that this process has held so far, in GB."""
    import resource

    unit = 1e9 if platform.system() == "Darwin" else 1e6  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _memory_gb() -> float | None:
    """The machine's memory in GB; None where the system does not tell, as Windows."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, OSError, ValueError):
        return None


def git_state() -> dict:
    """The commit of this checkout and whether it had changes beside the reports; None outside git."""
    try:
        commit = _git("rev-parse", "HEAD").strip()
        dirty = bool(_git("status", "--porcelain", "--", ".", ":!reports").strip())
    except (OSError, subprocess.CalledProcessError):
        commit = dirty = None
    return {"git_commit": commit, "git_dirty": dirty}


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _gpu() -> str | None:
    """The first NVIDIA GPU's name, asked of its driver, since importing PyTorch takes seconds."""
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    names = subprocess.run(query, capture_output=True, text=True, check=False).stdout.splitlines()
    return names[0].strip() if names else None
