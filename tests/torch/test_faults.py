"""Every planted fault is found by what should find it, and nothing is found where it sleeps."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from faults import FAULTS, awake

from corundum._library import library_path

BUILD = library_path().parents[1]
HERE = Path(__file__).resolve().parent


def built(target: str, path: str) -> Path:
    if not (BUILD / "CMakeCache.txt").exists():
        if (BUILD / path).exists():
            return BUILD / path  # carried here
        pytest.skip(f"an installed library has no objects to link with: {BUILD} is no build folder")
    cmake = Path(sys.executable).with_name("cmake")
    command = [str(cmake) if cmake.exists() else shutil.which("cmake"), "--build", str(BUILD), "--target", target]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return BUILD / path


@pytest.fixture(scope="module")
def library():
    return built("corundum_planted", "planted/libcorundum_planted.so")


def run(library, names, cache, *options, **variables):
    """Name to whether its check passed, and the end of what that said."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CORUNDUM_CACHE_DIR": str(cache), **variables}
    command = [sys.executable, "-W", "ignore", str(HERE / "faults.py"), str(library), *options, "--run", *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def found_by(where):
    return [name for name, fault in FAULTS.items() if fault.finds == where and name != "stale cache entry"]


def all_are_found_awake_and_none_asleep(library, names, cache):
    for name, (passed, said) in run(library, names, cache / "awake").items():
        assert not passed, f"{name} was not found: {said}"
        assert re.search(r"[1-9]\d* failed", said), said  # not only that it reached nothing
    for name, (passed, said) in run(library, names, cache / "asleep", "--asleep").items():
        assert passed, f"without {name}: {said}"


def test_the_check_finds_faults(library, tmp_path):
    all_are_found_awake_and_none_asleep(library, found_by("cpu"), tmp_path)


def test_the_check_finds_a_stale_cache_entry(library, tmp_path):
    """A kernel whose text was wrong is in the cache; the text is mended, and the entry is still taken for it."""
    name, wrong = "stale cache entry", "wrong stride"
    environment = {}
    with awake(wrong):  # its text alone: the fault that is awake is that of the cache
        texts = Path(os.environ["CORUNDUM_PLANT_TEXTS"])
        kept = shutil.copytree(texts, tmp_path / "texts")
    environment["CORUNDUM_PLANT_TEXTS"] = str(kept)
    first = run(library, [name], tmp_path, "--asleep", CORUNDUM_PLANT=name, **environment)
    assert not first[name][0], "the wrong text was not found"
    stale = run(library, [name], tmp_path, "--asleep", CORUNDUM_PLANT=name)
    assert not stale[name][0], f"the stale entry was not found: {stale[name][1]}"
    mended = run(library, [name], tmp_path, "--asleep")
    assert mended[name][0], mended[name][1]


@pytest.mark.cuda
def test_the_check_finds_faults_on_a_gpu(library, tmp_path):
    all_are_found_awake_and_none_asleep(library, found_by("cuda"), tmp_path)


@pytest.mark.cuda
@pytest.mark.two_gpus
def test_the_check_finds_a_wrong_device(library, tmp_path):
    assert torch.cuda.device_count() > 1
    all_are_found_awake_and_none_asleep(library, found_by("two GPUs"), tmp_path)


@pytest.mark.parametrize("name", found_by("emulator"))
def test_the_emulator_finds_faults(name):
    program = built("test_conformance_planted", "tests/test_conformance_planted")
    command = [str(program), f"--gtest_filter={FAULTS[name].wish['filter']}"]
    with awake(name):
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert FAULTS[name].wish["word"] in done.stdout
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "[  PASSED  ] 0 tests" not in done.stdout
