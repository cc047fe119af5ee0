"""A bare git repository, by git's own plumbing commands: every client that pushes has git, so the service uses it, too.

No setting of the user or the machine has an effect on these commands.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_sagemaker.errors import ServiceError

SECONDS = 300.0
"""How long one git command may take."""
BRANCHES, TAGS = "refs/heads/", "refs/tags/"


class GitError(Exception):
    """A git command failed; the message is its last words."""


class GitMissing(ServiceError):
    """The machine has no git."""

    code, status = "ServiceUnavailable", 503


def environment(folder: Path) -> dict[str, str]:
    """The variables of a git command on the repository in `folder`."""
    return {
        "PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": str(folder), "GIT_DIR": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
    }  # fmt: skip


def executable() -> str:
    """The machine's git. Raises `GitMissing`."""
    path = shutil.which("git")
    if path is None:
        raise GitMissing("There is no git on this machine: install it to use CodeCommit and CodeConnections here.")
    return path


@dataclass(frozen=True)
class Person:
    """Who made a commit, and when (seconds since the epoch)."""

    name: str
    email: str
    time: int
    zone: str = "+0000"

    @property
    def date(self) -> str:
        """As CodeCommit shows it: seconds and the offset."""
        return f"{self.time} {self.zone}"


@dataclass(frozen=True)
class GitCommit:
    """One commit. `message` is the whole text."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class TreeEntry:
    """One entry of a tree. `mode` is git's: ``100644``, ``100755``, ``120000``, ``040000``, ``160000``."""

    mode: str
    kind: str
    id: str
    path: str


@dataclass(frozen=True)
class FileChange:
    """What a new commit does to a file: its content and mode, or None for its end. `blob` names content that exists."""

    path: str
    content: bytes | None = None
    mode: str = "100644"
    blob: str = ""

    @property
    def deletes(self) -> bool:
        """Whether the file ends."""
        return self.content is None and not self.blob


@dataclass
class GitRepository:
    """The repository in a folder. Thread-safe, as far as git is; writers take `lock`."""

    folder: Path
    lock: threading.RLock = field(default_factory=threading.RLock)

    def create(self) -> None:
        """Makes it, empty; what exists stays."""
        if not (self.folder / "HEAD").is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.run("init", "--quiet", "--bare", "--initial-branch=main", str(self.folder))

    def run(
        self, *arguments: str, data: bytes = b"", variables: Mapping[str, str] | None = None, check: bool = True
    ) -> bytes:
        """The output of a git command. Raises `GitError` when it fails, unless `check` is False."""
        if any("\0" in argument for argument in arguments):
            if check:
                raise GitError("A name can't hold a NUL.")
            return b""
        done = subprocess.run(
            [executable(), *arguments], input=data, capture_output=True, timeout=SECONDS, check=False,
            env={**environment(self.folder), **(variables or {})}, cwd=self.folder,
        )  # fmt: skip
        if done.returncode and check:
            raise GitError(done.stderr.decode(errors="replace").strip())
        return done.stdout

    def text(self, *arguments: str) -> str:
        """The output of a git command, as a text without its last line's end."""
        return self.run(*arguments).decode(errors="replace").removesuffix("\n")

    def references(self) -> dict[str, str]:
        """Branches and tags by their full names, and the commit of each."""
        lines = self.text(
            "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", BRANCHES, TAGS
        ).splitlines()
        references = {}
        for line in lines:
            name, own, *peeled = line.split(" ")
            references[name] = peeled[0] if peeled and peeled[0] else own
        return references

    def branch(self, name: str) -> str | None:
        """The newest commit of a branch."""
        return self.references().get(BRANCHES + name)

    def kind(self, name: str) -> str | None:
        """``commit``, ``tree``, ``blob`` or ``tag``; None when nothing has the name."""
        output = self.run("cat-file", "-t", "--", name, check=False) if not name.startswith("-") else b""
        return output.decode().strip() or None

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, a tag or an id names."""
        if name.startswith("-"):
            return None
        for candidate in (BRANCHES + name, TAGS + name, name):
            commit = self.run("rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}", check=False)
            if commit:
                return commit.decode().strip()
        return None

    def commit(self, name: str) -> GitCommit | None:
        """A commit by its id."""
        if self.kind(name) != "commit":
            return None
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B"
        parts = self.run("show", "--no-patch", "--no-show-signature", "--date=raw", f"--format={form}", name, "--")
        identity, tree, parents, *people, message = parts.decode(errors="replace").split("\0", 9)
        author, committer = (_person(*people[i : i + 3]) for i in (0, 3))
        return GitCommit(identity, tree, tuple(parents.split()), author, committer, message.removesuffix("\n"))

    def tree(self, commit: str, path: str = "", *, recursive: bool = False) -> list[TreeEntry]:
        """The entries of a folder of a commit, with their paths from the root on."""
        more = ["-r"] if recursive else []
        place = f"{commit}:{path}" if path else commit
        listing = self.run("ls-tree", "-z", *more, place, check=False)
        return list(_entries(listing, f"{path}/" if path else ""))

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """The file or folder at a path of a commit."""
        entries = list(_entries(self.run("ls-tree", "-z", commit, "--", path, check=False), ""))
        return entries[0] if entries and entries[0].path == path else None

    def blob(self, identity: str) -> bytes:
        """The content of a file by its id. Raises `GitError`."""
        return self.run("cat-file", "blob", identity)

    def size(self, identity: str) -> int:
        """The bytes of an object."""
        return int(self.text("cat-file", "-s", identity))

    def archive(self, commit: str, *, form: str = "zip") -> bytes:
        """The files of a commit as an archive, without git's own folder."""
        return self.run("archive", f"--format={form}", commit)

    def differences(self, before: str | None, after: str) -> list[tuple[str, TreeEntry | None, TreeEntry | None]]:
        """(``A``, ``M`` or ``D``, the file before, the file after) of each file that differs."""
        if before is None:
            return [("A", None, entry) for entry in self.tree(after, recursive=True)]
        fields = self.run("diff-tree", "-r", "-z", "--no-renames", before, after).decode(errors="replace").split("\0")
        changes = []
        for row, path in zip(fields[::2], fields[1::2], strict=False):
            old_mode, new_mode, old, new, letter = row.lstrip(":").split(" ")
            kind = letter[0] if letter[0] in "AMD" else "M"
            first = None if kind == "A" else TreeEntry(old_mode, "blob", old, path)
            second = None if kind == "D" else TreeEntry(new_mode, "blob", new, path)
            changes.append((kind, first, second))
        return changes

    def paths_between(self, before: str | None, after: str) -> list[str]:
        """The paths of the files that differ between two commits; all files of a first one."""
        return [(second or first).path for _, first, second in self.differences(before, after)]  # type: ignore[union-attr]

    def write(self, parent: str | None, changes: list[FileChange], author: Person, message: str) -> str:
        """Makes a commit (of no branch yet) on a parent, and returns its id."""
        index = self.folder / f"index-{os.getpid()}-{threading.get_ident()}"
        variables = {"GIT_INDEX_FILE": str(index)}
        try:
            if parent:
                self.run("read-tree", parent, variables=variables)
            ids = iter(self._put([change.content for change in changes if change.content is not None]))
            rows = "".join(f"{_index_row(change, ids)}\0" for change in changes)
            self.run("update-index", "-z", "--index-info", data=rows.encode(), variables=variables)
            tree = self.run("write-tree", variables=variables).decode().strip()
        finally:
            index.unlink(missing_ok=True)
        return self._commit(tree, parent, author, message)

    def _commit(self, tree: str, parent: str | None, author: Person, message: str) -> str:
        people = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", author.name), ("EMAIL", author.email), ("DATE", author.date))
        }
        parents = ["-p", parent] if parent else []
        return self.run("commit-tree", tree, *parents, data=message.encode(), variables=people).decode().strip()

    def _put(self, contents: list[bytes]) -> list[str]:
        """The ids of contents, which are in the repository then."""
        with tempfile.TemporaryDirectory(prefix="contents-", dir=self.folder) as folder:
            names = [f"{Path(folder).name}/{number}" for number in range(len(contents))]
            for name, content in zip(names, contents, strict=True):
                (self.folder / name).write_bytes(content)
            rows = "".join(f"{name}\n" for name in names)
            return self.run("hash-object", "-w", "--no-filters", "--stdin-paths", data=rows.encode()).decode().split()

    def is_reference_name(self, name: str) -> bool:
        """Whether git takes a full name (``refs/heads/main``) for a reference."""
        try:
            self.run("check-ref-format", name)
        except GitError:
            return False
        return True

    def set_reference(self, name: str, new: str, old: str | None = None) -> None:
        """Lets a reference (full name) name a commit; `old` is what it must name before, ``""`` for nothing."""
        expected = [] if old is None else [old or "0" * 40]
        self.run("update-ref", name, new, *expected)

    def delete_reference(self, name: str) -> None:
        """Ends a reference."""
        self.run("update-ref", "-d", name)

    def set_default_branch(self, name: str) -> None:
        """Which branch a clone checks out."""
        self.run("symbolic-ref", "HEAD", BRANCHES + name)


def _index_row(change: FileChange, ids: Iterator[str]) -> str:
    """A row for ``update-index``; `ids` are those of the contents that are new."""
    if change.deletes:
        return f"0 {'0' * 40}\t{change.path}"
    return f"{change.mode} {change.blob if change.content is None else next(ids)}\t{change.path}"


def _person(name: str, email: str, date: str) -> Person:
    time, _, zone = date.partition(" ")
    return Person(name, email, int(time), zone or "+0000")


def _entries(output: bytes, above: str) -> Iterator[TreeEntry]:
    for row in output.decode(errors="replace").split("\0"):
        if row:
            head, _, path = row.partition("\t")
            mode, kind, identity = head.split(" ")
            yield TreeEntry(mode, kind, identity, above + path)
