"""Checksums of multipart uploads: of parts, and of the object that they become.

An upload is begun for one algorithm, or for none. Its object has the checksum of the parts' checksums (COMPOSITE), or
that of all its bytes (FULL_OBJECT). User guide, "Checking object integrity".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local_sagemaker.objects.checksums import ALGORITHMS, composite, of_file, whole
from local_sagemaker.objects.temporary_files import TemporaryFile
from local_sagemaker.objects.uploads import MultipartUpload, Part
from local_sagemaker.services.s3.errors import BadDigest, InvalidRequest

_WHOLE_ONLY = ("CRC64NVME", "XXHASH64", "XXHASH3", "XXHASH128")
_PARTS_ONLY = ("SHA1", "SHA256", "SHA512", "MD5")
_FULL, _COMPOSITE = "FULL_OBJECT", "COMPOSITE"


def options(algorithm: str | None, kind: str | None) -> dict[str, str]:
    """What an upload remembers of the checksums that it was begun for. Raises where no upload has this pair."""
    if not algorithm:
        if kind:
            text = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            raise InvalidRequest(text)
        return {}
    kind = kind or (_FULL if algorithm in _WHOLE_ONLY else _COMPOSITE)
    if algorithm in (_WHOLE_ONLY if kind == _COMPOSITE else _PARTS_ONLY):
        raise InvalidRequest(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    return {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}


def of_part(upload: MultipartUpload, checksums: Mapping[str, str], written: TemporaryFile) -> dict[str, str]:
    """The checksum that is kept of an uploaded part. Raises where it is of another algorithm than the upload's."""
    if len(checksums) > 1:
        raise InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    expected = upload.options.get("ChecksumAlgorithm")
    actual = next((name.removeprefix("Checksum") for name in checksums), None)
    if actual is None and expected is not None and upload.options.get("ChecksumType") == _FULL:
        return compute(upload, written)
    if expected is not None and actual != expected:  # boto3 sends one with each part, whatever the upload was begun for
        raise InvalidRequest(
            f"Checksum Type mismatch occurred, expected checksum Type: {_name(expected)}, actual checksum Type: "
            f"{_name(actual)}"
        )
    return dict(checksums)


def check_listed(upload: MultipartUpload, listed: Sequence[Mapping[str, object]]) -> None:
    """Raises for the first part in a request to complete an upload that lacks the checksum such a list must have."""
    algorithm = upload.options.get("ChecksumAlgorithm")
    if algorithm is None or upload.options.get("ChecksumType") == _FULL:
        return
    for part in listed:
        if f"Checksum{algorithm}" not in part:
            raise InvalidRequest(
                f"The upload was created using a {algorithm.lower()} checksum. The complete request must include the "
                f"checksum for each part. It was missing for part {part.get('PartNumber')} in the request."
            )


def compute(upload: MultipartUpload, written: TemporaryFile) -> dict[str, str]:
    """The checksum of a part that came without one, as copied parts do."""
    algorithm = upload.options.get("ChecksumAlgorithm", "")
    if algorithm.lower() not in ALGORITHMS:
        return {}
    return {f"Checksum{algorithm}": of_file(algorithm, written.path, written.offset, written.size)}


def of_object(
    upload: MultipartUpload, chosen: Sequence[Part], checksums: Mapping[str, str], kind: str | None
) -> dict[str, str]:
    """The checksum of the completed object. Raises where the client has `checksums` another one, or another `kind`."""
    algorithm, expected = upload.options.get("ChecksumAlgorithm"), upload.options.get("ChecksumType")
    if algorithm is None:
        return {}
    if kind is not None and kind != expected:
        raise InvalidRequest(
            f"The upload was created using the {expected} checksum mode. The complete request must use the same "
            "checksum mode."
        )
    name = f"Checksum{algorithm}"
    if any(name not in part.checksums for part in chosen):
        return {}
    if expected == _FULL:
        value = whole(algorithm, [(part.checksums[name], part.size) for part in chosen])
    else:
        value = composite(algorithm, [part.checksums[name] for part in chosen])
    if value is None:
        return dict(checksums)
    if checksums.get(name) not in (None, value, value.partition("-")[0]):
        raise BadDigest(f"The {algorithm} you specified did not match the calculated checksum.")
    return {name: value}


def _name(algorithm: str | None) -> str:
    return algorithm.lower() if algorithm else "null"
