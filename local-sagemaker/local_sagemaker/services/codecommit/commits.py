"""Commits: looked up, compared, and made without a clone."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.codecommit.git import FileChange, GitCommit, GitRepository, Person, TreeEntry
from local_sagemaker.services.codecommit.errors import CodeCommitError, check_count, missing
from local_sagemaker.services.codecommit.repository_store import RepositoryStore
from local_sagemaker.services.pagination import page_rows

MODES = {"NORMAL": "100644", "EXECUTABLE": "100755", "SYMLINK": "120000"}
LARGEST = 6 << 20
"""Bytes of a file that an operation puts or gets (CodeCommit user guide, "Quotas")."""
_TOO_MANY_COMMITS = (
    "The maximum number of allowed commit IDs in a batch request is 100. Verify that your batch requests contains no "
    "more than 100 commit IDs, and then try again."
)


class CodeCommits(Resource):
    """GetCommit, BatchGetCommits, GetDifferences, CreateCommit, PutFile, DeleteFile."""

    def __init__(self, *, store: RepositoryStore) -> None:
        self._store = store

    @operation("GetCommit")
    def get(self, request: Request) -> Response:
        """One commit by its full id."""
        name, identity = request["repositoryName"], request["commitId"]
        commit = self._store.git(name).commit(identity) if len(identity) == 40 else None
        if commit is None:
            text = f"Could not find the commit {identity} in repository {name}."
            raise CodeCommitError(text, code="CommitIdDoesNotExistException")
        return {"commit": _describe(commit)}

    @operation("BatchGetCommits")
    def batch(self, request: Request) -> Response:
        """Several commits by their full ids; an error for each that does not exist."""
        git, wanted = self._store.git(request["repositoryName"]), request["commitIds"]
        check_count(wanted, "CommitIdsLimitExceededException", _TOO_MANY_COMMITS)
        commits = {
            identity: git.commit(identity) if len(identity) == 40 else None for identity in dict.fromkeys(wanted)
        }
        errors = [
            {"commitId": identity, "errorCode": "CommitIdDoesNotExistException",
             "errorMessage": f"Could not find the commit {identity}."}
            for identity, commit in commits.items() if commit is None
        ]  # fmt: skip
        return {"commits": [_describe(commit) for commit in commits.values() if commit], "errors": errors}

    @operation("GetDifferences")
    def differences(self, request: Request) -> Response:
        """The files that differ between two commits; all of the second one without a first."""
        name, store = request["repositoryName"], self._store
        after = store.commit(name, request["afterCommitSpecifier"]).id
        before = store.commit(name, request["beforeCommitSpecifier"]).id if "beforeCommitSpecifier" in request else None
        rows = []
        for kind, first, second in store.git(name).differences(before, after):
            row: dict[str, Any] = {"changeType": kind}
            if first:
                row["beforeBlob"] = _blob(first)
            if second:
                row["afterBlob"] = _blob(second)
            rows.append(row)
        refuse = partial(CodeCommitError, code="InvalidContinuationTokenException")
        chosen, more = page_rows(rows, request, refuse, most=len(rows), token="NextToken", size="MaxResults")
        return {"differences": chosen, **more}

    @operation("CreateCommit")
    def create(self, request: Request) -> Response:
        """Makes a commit on a branch, of files put, deleted and set anew."""
        git, name = self._store.git(request["repositoryName"]), request["repositoryName"]
        with git.lock:
            parent = self._parent(request, request.get("parentCommitId"))
            changes = [self._put(git, parent, row) for row in request.get("putFiles", [])]
            sources = [row["sourceFile"] for row in request.get("putFiles", []) if "sourceFile" in row]
            changes += [FileChange(source["filePath"]) for source in sources if source.get("isMove")]
            changes += [self._delete(git, parent, row["filePath"]) for row in request.get("deleteFiles", [])]
            changes += [self._mode(git, parent, row) for row in request.get("setFileModes", [])]
            if not changes:
                raise CodeCommitError("A commit needs at least one file.", code="FileEntryRequiredException")
            commit, tree = self._write(request, parent, changes)
            return {
                "commitId": commit, "treeId": tree,
                "filesAdded": self._file_rows(name, commit, [row["filePath"] for row in request.get("putFiles", [])]),
                "filesUpdated": self._file_rows(name, commit, [r["filePath"] for r in request.get("setFileModes", [])]),
                "filesDeleted": [{"absolutePath": row["filePath"]} for row in request.get("deleteFiles", [])],
            }  # fmt: skip

    @operation("PutFile")
    def put(self, request: Request) -> Response:
        """Writes one file to a branch."""
        git = self._store.git(request["repositoryName"])
        with git.lock:
            parent = self._parent(request, request.get("parentCommitId"))
            row = {**request, "fileContent": request["fileContent"]}
            commit, tree = self._write(request, parent, [self._put(git, parent, row)])
            entry = git.entry(commit, request["filePath"])
            return {"commitId": commit, "treeId": tree, "blobId": entry.id if entry else ""}

    @operation("DeleteFile")
    def delete(self, request: Request) -> Response:
        """Deletes one file of a branch."""
        git = self._store.git(request["repositoryName"])
        with git.lock:
            parent = self._parent(request, request["parentCommitId"])
            entry = git.entry(parent or "", request["filePath"]) if parent else None
            commit, tree = self._write(request, parent, [self._delete(git, parent, request["filePath"])])
            path = request["filePath"]
            return {"commitId": commit, "treeId": tree, "blobId": entry.id if entry else "", "filePath": path}

    def _parent(self, request: Request, claimed: str | None) -> str | None:
        """The branch's newest commit, which the caller must know; None for a branch that begins."""
        name, branch = request["repositoryName"], request["branchName"]
        git = self._store.git(name)
        newest = git.branch(branch)
        if newest is None:
            if claimed is None:
                if git.references():
                    raise missing("Branch", f"The branch {branch} does not exist in repository {name}.")
                return None
            if git.commit(claimed) is None:
                raise missing("ParentCommit", f"The parent commit {claimed} does not exist in repository {name}.")
            raise missing("Branch", f"The branch {branch} does not exist in repository {name}.")
        if claimed is None:
            text = f"The parent commit ID is required: the branch {branch} has commits."
            raise CodeCommitError(text, code="ParentCommitIdRequiredException")
        if git.resolve(claimed) != newest:
            raise CodeCommitError(
                f"The parent commit ID {claimed} is not the tip of the branch {branch}, which is {newest}.",
                code="ParentCommitIdOutdatedException",
            )
        return newest

    def _put(self, git: GitRepository, parent: str | None, row: Request) -> FileChange:
        path = _path(row["filePath"])
        mode = MODES[row.get("fileMode", "NORMAL")]
        if "sourceFile" in row:
            source = row["sourceFile"]["filePath"]
            entry = git.entry(parent, source) if parent else None
            if entry is None:
                raise missing("File", f"The file {source} does not exist.")
            return FileChange(path, blob=entry.id, mode=mode)
        content = _bytes(row["fileContent"])
        if len(content) > LARGEST:
            raise CodeCommitError(f"{path} is larger than 6 MB.", code="FileContentSizeLimitExceededException")
        entry = git.entry(parent, path) if parent else None
        if entry and entry.mode == mode and git.blob(entry.id) == content:
            text = f"The content of {path} is the same as before."
            raise CodeCommitError(text, code="SameFileContentException")
        return FileChange(path, content=content, mode=mode)

    @staticmethod
    def _delete(git: GitRepository, parent: str | None, path: str) -> FileChange:
        if parent is None or git.entry(parent, path) is None:
            raise missing("File", f"The file {path} does not exist.")
        return FileChange(path)

    @staticmethod
    def _mode(git: GitRepository, parent: str | None, row: Request) -> FileChange:
        entry = git.entry(parent, row["filePath"]) if parent else None
        if entry is None:
            raise missing("File", f"The file {row['filePath']} does not exist.")
        return FileChange(row["filePath"], blob=entry.id, mode=MODES[row["fileMode"]])

    def _write(self, request: Request, parent: str | None, changes: list[FileChange]) -> tuple[str, str]:
        """Writes the commit and lets the branch name it."""
        name = request["repositoryName"]
        git = self._store.git(name)
        author = request.get("authorName") or request.get("name") or ""
        author = author if any(letter.isalnum() for letter in author) else "root"  # git takes no name of signs alone
        person = Person(author, request.get("email") or "", int(now()))
        message = request.get("commitMessage") or "Changed through the API."
        commit = git.write(parent, changes, person, message)
        self._store.move_branch(name, request["branchName"], commit, parent or "")
        written = git.commit(commit)
        return commit, written.tree if written else ""

    def _file_rows(self, name: str, commit: str, paths: list[str]) -> list[dict[str, str]]:
        git, wanted = self._store.git(name), set(paths)
        entries = [entry for entry in git.tree(commit, recursive=True) if entry.path in wanted]
        modes = {mode: word for word, mode in MODES.items()}
        return [
            {"absolutePath": entry.path, "blobId": entry.id, "fileMode": modes.get(entry.mode, "NORMAL")}
            for entry in entries
        ]  # fmt: skip


def _bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else base64.b64decode(content)


def _path(path: str) -> str:
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..", ".git") for part in parts):
        raise CodeCommitError(f"{path} is no valid path of a file.", code="InvalidPathException")
    return path


def _describe(commit: GitCommit) -> dict[str, Any]:
    people = {
        role: {"name": person.name, "email": person.email, "date": person.date}
        for role, person in (("author", commit.author), ("committer", commit.committer))
    }
    return {
        "commitId": commit.id, "treeId": commit.tree, "parents": list(commit.parents), "message": commit.message,
        **people, "additionalData": "",
    }  # fmt: skip


def _blob(entry: TreeEntry) -> dict[str, str]:
    return {"blobId": entry.id, "path": entry.path, "mode": entry.mode}
