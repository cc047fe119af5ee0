"""S3's errors that requests cause; those of the store itself are in `objects/errors.py`.

Codes, statuses and texts are S3's own (API reference, "Error responses", and what the service sends where its texts
differ from that page).
"""

from __future__ import annotations

from local_sagemaker.objects.errors import S3Error


class S3AccessDenied(S3Error):
    """Not yours, by ExpectedBucketOwner."""

    code, status, text = "AccessDenied", 403, "Access Denied"


class BadDigest(S3Error):
    """The bytes are not those that the client meant to send."""

    code, status, text = "BadDigest", 400, "The Content-MD5 you specified did not match what we received."


class InvalidDigest(S3Error):
    """Not base64 of an MD5."""

    code, status, text = "InvalidDigest", 400, "The Content-MD5 you specified was invalid."


class BucketAlreadyOwnedByYou(S3Error):
    """Outside us-east-1, creating one's own bucket again is an error."""

    code, status = "BucketAlreadyOwnedByYou", 409
    text = "Your previous request to create the named bucket succeeded and you already own it."


class InvalidLocationConstraint(S3Error):
    """us-east-1 is requested by giving no constraint."""

    code, status, text = "InvalidLocationConstraint", 400, "The specified location-constraint is not valid"


class IllegalLocationConstraint(S3Error):
    """The endpoint of one region got a request for a bucket in another."""

    code, status = "IllegalLocationConstraintException", 400

    def __init__(self, constraint: str) -> None:
        super().__init__(
            f"The {constraint} location constraint is incompatible for the region specific endpoint this request was "
            "sent to."
        )


class IllegalVersioningConfiguration(S3Error):
    """Neither Enabled nor Suspended."""

    code, status = "IllegalVersioningConfigurationException", 400
    text = "The Versioning element must be specified"


class InvalidArgument(S3Error):
    """A value that S3 does not take; the message says which."""

    code, status, text = "InvalidArgument", 400, "Invalid Argument"


class InvalidRequest(S3Error):
    """A combination that S3 does not take; the message says why."""

    code, status, text = "InvalidRequest", 400, "Invalid Request"


class InvalidRange(S3Error):
    """No byte of the object is in the range."""

    code, status, text = "InvalidRange", 416, "The requested range is not satisfiable"


class InvalidPartNumber(S3Error):
    """The object has fewer parts."""

    code, status, text = "InvalidPartNumber", 416, "The requested partnumber is not satisfiable"


class PreconditionFailed(S3Error):
    """`Condition` names the header that did not hold."""

    code, status = "PreconditionFailed", 412
    text = "At least one of the pre-conditions you specified did not hold"


class NotModified(S3Error):
    """The client's copy is current. The response has no body."""

    code, status, text = "NotModified", 304, "Not Modified"


class NotImplementedHeader(S3Error):
    """A header requests what S3 does not do."""

    code, status = "NotImplemented", 501
    text = "A header you provided implies functionality that is not implemented"


class MethodNotAllowed(S3Error):
    """A delete marker can't be read."""

    code, status, text = "MethodNotAllowed", 405, "The specified method is not allowed against this resource."


class EntityTooSmall(S3Error):
    """A part, other than the last, of less than 5 MiB."""

    code, status = "EntityTooSmall", 400
    text = "Your proposed upload is smaller than the minimum allowed size"


class InvalidPart(S3Error):
    """A part that was not uploaded, or not with this ETag."""

    code, status = "InvalidPart", 400
    text = (
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
        "entity tag may not match the part's entity tag."
    )


class InvalidPartOrder(S3Error):
    """Parts must be given in ascending order."""

    code, status = "InvalidPartOrder", 400
    text = "The list of parts was not in ascending order. Parts must be ordered by part number."


class S3MalformedXML(S3Error):
    """A document with members missing."""

    code, status = "MalformedXML", 400
    text = "The XML you provided was not well-formed or did not validate against our published schema"


class MissingRequestBody(S3Error):
    """Nothing where a document must be; the model of some operations has it as optional."""

    code, status, text = "MissingRequestBodyError", 400, "Request Body is empty"


class MalformedPolicy(S3Error):
    """A bucket policy that is no JSON object."""

    code, status = "MalformedPolicy", 400
    text = "Policies must be valid JSON and the first byte must be '{'"


class InvalidTag(S3Error):
    """A tag that S3 does not take; the message says why."""

    code, status, text = "InvalidTag", 400, "The TagKey you have provided is invalid"


class TooManyTags(S3Error):
    """An object has at most ten tags."""

    code, status, text = "BadRequest", 400, "Object tags cannot be greater than 10"


class AclNotSupported(S3Error):
    """Buckets made since 2023 have no ACLs, unless they are made to."""

    code, status, text = "AccessControlListNotSupported", 400, "The bucket does not allow ACLs"


class InvalidBucketAcl(S3Error):
    """A new bucket has no ACLs, unless it is made to."""

    code, status = "InvalidBucketAclWithObjectOwnership", 400
    text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"


class InvalidStorageClass(S3Error):
    """Not a storage class of such buckets."""

    code, status, text = "InvalidStorageClass", 400, "The storage class you specified is not valid"


class InvalidObjectState(S3Error):
    """An archived object can't be read."""

    code, status, text = "InvalidObjectState", 403, "The operation is not valid for the object's storage class"


class ObjectNotInActiveTier(S3Error):
    """An archived object can't be copied."""

    code, status = "ObjectNotInActiveTierError", 403
    text = "The source object of the COPY operation is not in the active tier and is only stored in Amazon S3 Glacier."


class MetadataTooLarge(S3Error):
    """More than 2 KB of user metadata."""

    code, status = "MetadataTooLarge", 400
    text = "Your metadata headers exceed the maximum allowed metadata size"


class InvalidTargetBucketForLogging(S3Error):
    """Logs can't go to the bucket that is named."""

    code, status, text = "InvalidTargetBucketForLogging", 400, "The target bucket for logging does not exist"


class CrossLocationLoggingProhibited(S3Error):
    """Logs stay in the bucket's region."""

    code, status, text = "CrossLocationLoggingProhibited", 403, "Cross S3 location logging not allowed."


class NotConfigured(S3Error):
    """A configuration that the bucket does not have; the code is that configuration's own."""

    status = 404

    def __init__(self, code: str, message: str, bucket: str) -> None:
        super().__init__(message, BucketName=bucket)
        self.code = code
