"""What repositories hold: files, folders, blobs."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.codecommit.git import GitError, TreeEntry
from local_sagemaker.services.codecommit.commits import LARGEST, MODES
from local_sagemaker.services.codecommit.errors import CodeCommitError, missing
from local_sagemaker.services.codecommit.repository_store import RepositoryStore

_WORDS = {mode: word for word, mode in MODES.items()}


class Contents(Resource):
    """GetFile, GetFolder, GetBlob."""

    def __init__(self, *, store: RepositoryStore) -> None:
        self._store = store

    def _commit(self, request: Request) -> str:
        name = request["repositoryName"]
        specifier = request.get("commitSpecifier") or self._store.require(name).get("defaultBranch")
        if not specifier:
            raise missing("Commit", f"Repository {name} has no commits.")
        return self._store.commit(name, specifier).id

    @operation("GetFile")
    def file(self, request: Request) -> Response:
        """One file of a commit with its content."""
        git, commit, path = self._store.git(request["repositoryName"]), self._commit(request), request["filePath"]
        entry = git.entry(commit, path)
        if entry is None or entry.kind != "blob":
            raise missing("File", f"Could not find path {path}")
        if git.size(entry.id) > LARGEST:
            raise CodeCommitError(f"{path} is larger than 6 MB.", code="FileTooLargeException")
        content = git.blob(entry.id)
        return {
            "commitId": commit, "blobId": entry.id, "filePath": path, "fileMode": _WORDS.get(entry.mode, "NORMAL"),
            "fileSize": len(content), "fileContent": content,
        }  # fmt: skip

    @operation("GetFolder")
    def folder(self, request: Request) -> Response:
        """What a folder of a commit holds."""
        git, commit = self._store.git(request["repositoryName"]), self._commit(request)
        path = request["folderPath"].strip("/")
        above = git.entry(commit, path) if path else None
        if path and (above is None or above.kind != "tree"):
            raise missing("Folder", f"Could not find path {path}")
        contents: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("files", "subFolders", "symbolicLinks", "subModules")
        }
        for entry in git.tree(commit, path):
            member, row = _listed(entry, path)
            contents[member].append(row)
        tree = above.id if above else git.text("rev-parse", f"{commit}^{{tree}}")
        return {"commitId": commit, "folderPath": path, "treeId": tree, **contents}

    @operation("GetBlob")
    def blob(self, request: Request) -> Response:
        """The content of a blob by its id."""
        git = self._store.git(request["repositoryName"])
        try:
            content = git.blob(request["blobId"])
        except GitError as error:
            text = f"Could not find the blob {request['blobId']}."
            raise CodeCommitError(text, code="BlobIdDoesNotExistException") from error
        return {"content": content}


def _listed(entry: TreeEntry, folder: str) -> tuple[str, dict[str, Any]]:
    places = {"absolutePath": entry.path, "relativePath": entry.path.removeprefix(f"{folder}/" if folder else "")}
    if entry.kind == "tree":
        return "subFolders", {"treeId": entry.id, **places}
    if entry.kind == "commit":
        return "subModules", {"commitId": entry.id, **places}
    member = "symbolicLinks" if entry.mode == MODES["SYMLINK"] else "files"
    return member, {"blobId": entry.id, "fileMode": _WORDS.get(entry.mode, "NORMAL"), **places}
