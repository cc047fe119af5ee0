"""Resources that can't be made here, so that there never is one: reading one says so, as AWS does.

Templates ask for an image of their own and catch ResourceNotFound, to fall back to a stock image; an operation that is
not here would end them.
"""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.errors import ResourceNotFound


class Images(Resource):
    """SageMaker images and their versions (those of Studio, not the images of jobs)."""

    @operation("DescribeImage")
    def describe(self, request: Request) -> Response:
        """Raises ResourceNotFound: none can be created here. Terraform's provider recognises the text's beginning."""
        raise _no_image(request)

    @operation("DescribeImageVersion")
    def describe_version(self, request: Request) -> Response:
        """Never there."""
        raise ResourceNotFound(f"No ImageVersion with the name {request['ImageName']} was found.")

    @operation("ListImages")
    def list_images(self, _: Request) -> Response:
        """None."""
        return {"Images": []}

    @operation("ListImageVersions")
    def list_versions(self, request: Request) -> Response:
        """Of an image that does not exist."""
        raise _no_image(request)

    @operation("DeleteImage")
    def delete(self, request: Request) -> Response:
        """Never there."""
        raise _no_image(request)


class FeatureGroups(Resource):
    """Groups of the feature store."""

    @operation("DescribeFeatureGroup")
    def describe(self, request: Request) -> Response:
        """Never there; the text is recorded."""
        raise ResourceNotFound(
            "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name " + request["FeatureGroupName"]
        )

    @operation("ListFeatureGroups")
    def list_groups(self, _: Request) -> Response:
        """None."""
        return {"FeatureGroupSummaries": []}


def _no_image(request: Request) -> ResourceNotFound:
    return ResourceNotFound(f"No Image with the name {request['ImageName']} was found.")
