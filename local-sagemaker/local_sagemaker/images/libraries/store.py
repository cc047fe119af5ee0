"""The library sets of this machine: one folder each below the cache, shared by all state folders of a user."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_sagemaker.images.libraries import build, plan
from local_sagemaker.images.libraries.build import LibrarySet, Say
from local_sagemaker.images.libraries.catalogue import ImageLibraries


class LibrarySets:
    """Finds, makes, lists and removes sets. Thread-safe, and safe beside other processes."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "images"
        self._known: dict[str, LibrarySet] = {}
        self._lock = threading.Lock()

    def find(self, image: ImageLibraries) -> LibrarySet | None:
        """The finished set of an image, as its table is now; None when it has to be made."""
        with self._lock:
            known = self._known.get(image.digest)
        if known and known.works:
            return known
        for library_set in self._sets(image):
            if library_set.manifest["digest"] == image.digest and library_set.works:
                with self._lock:
                    self._known[image.digest] = library_set
                return library_set
        return None

    def require(self, image: ImageLibraries, say: Say) -> LibrarySet:
        """The set of an image, made now if need be; others that want the same one wait for it.

        Raises NotPrepared or NoPython, with the command that helps.
        """
        library_set = self.find(image)
        if library_set:
            return library_set
        with self._locked(image, say):
            return self.find(image) or self._make(plan.make(image), say)

    def prepare(self, image: ImageLibraries, say: Say) -> LibrarySet:
        """Like `require`, and makes a set anew that a Python installed since then serves better."""
        wanted = plan.make(image)
        with self._locked(image, say):
            library_set = self.find(image)
            current = library_set and library_set.manifest["python"] == wanted.interpreter.version
            made = library_set if library_set and current else self._make(wanted, say)
            for old in self._sets(image):
                if old.folder != made.folder:
                    shutil.rmtree(old.folder, ignore_errors=True)
            return made

    def all(self) -> list[LibrarySet]:
        """All finished sets, by name."""
        library_sets = [build.read(folder) for folder in self.folder.glob("*/*") if not folder.name.startswith(".")]
        return sorted((item for item in library_sets if item), key=lambda item: item.name)

    def remove(self, image: ImageLibraries) -> int:
        """Removes the sets of an image; how many there were."""
        with self._locked(image, lambda _: None):
            library_sets = self._sets(image)
            for item in library_sets:
                away = item.folder.with_name(f".removed-{item.folder.name}")
                item.folder.rename(away)
                shutil.rmtree(away, ignore_errors=True)
            with self._lock:
                self._known.clear()
        return len(library_sets)

    def remove_all(self) -> int:
        """Removes what is left, sets of images that no table names any more; how many there were."""
        left = self.all()
        for item in left:
            shutil.rmtree(item.folder, ignore_errors=True)
        return len(left)

    def _make(self, wanted: plan.Plan, say: Say) -> LibrarySet:
        folder = self._place(wanted.image)
        for leftover in folder.glob(".making-*"):  # of a process that was killed: the lock is ours
            shutil.rmtree(leftover, ignore_errors=True)
        python = wanted.interpreter
        stamp = hashlib.sha256(f"{wanted.image.digest} {python.path} {python.version}".encode()).hexdigest()[:8]
        target = folder / f"python{python.minor}-{stamp}"
        shutil.rmtree(target, ignore_errors=True)
        made = build.build(wanted, target, say)
        with self._lock:
            self._known[wanted.image.digest] = made
        return made

    def _sets(self, image: ImageLibraries) -> list[LibrarySet]:
        folders = [folder for folder in self._place(image).glob("*") if not folder.name.startswith(".")]
        library_sets = [build.read(folder) for folder in sorted(folders)]
        return [item for item in library_sets if item]

    def _place(self, image: ImageLibraries) -> Path:
        return self.folder / image.name.replace("/", "_").replace(":", "-")

    @contextmanager
    def _locked(self, image: ImageLibraries, say: Say) -> Iterator[None]:
        """The right to change an image's sets, among all processes of the machine."""
        place = self._place(image)
        place.mkdir(parents=True, exist_ok=True)
        with (place / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"Another process prepares the libraries of {image.name}; waiting for it ...")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def own_size(folder: Path) -> int:
    """The bytes of a set's files that no other folder has links to: roughly what its removal frees."""
    states = (file.lstat() for file in folder.rglob("*"))
    return sum(state.st_size for state in states if stat.S_ISREG(state.st_mode) and state.st_nlink == 1)
