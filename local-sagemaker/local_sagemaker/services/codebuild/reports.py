"""Report groups and the reports that builds leave in them (CodeBuild user guide, "Test reports")."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.arns import Arns
from local_sagemaker.clock import now
from local_sagemaker.codebuild.report_files import FAILURES, TEST, summary_of
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_status import BuildStatus
from local_sagemaker.records.store import AlreadyExists, Body, public
from local_sagemaker.services.codebuild.errors import InvalidInput, ProjectExists, UnknownProject
from local_sagemaker.services.pagination import page_rows

GROUP, REPORT, ROWS = "codebuild-report-group", "codebuild-report", "codebuild-report-rows"
KEPT_SECONDS = 30 * 86400.0
"""How long reports are kept (user guide)."""
NOT_EXPORTED = {"exportConfigType": "NO_EXPORT"}


class ReportStore:
    """Groups by name, reports by ``group/uuid``; test cases and covered files, which may be many, by themselves."""

    def __init__(self, records: Records, arns: Arns) -> None:
        self.records, self.arns = records, arns

    def insert(self, name: str, kind: str, **members: Any) -> Body:
        """Makes a group. Raises CodeBuild's error when its name is taken."""
        moment, arn = now(), self.arns.of("codebuild", f"report-group/{name}")
        body = {"arn": arn, "name": name, "type": kind, "exportConfig": NOT_EXPORTED, "created": moment,
                "lastModified": moment, "tags": [], "status": "ACTIVE", **members}  # fmt: skip
        try:
            self.records.insert(GROUP, name, body)
        except AlreadyExists as error:
            raise ProjectExists(f"Report group already exists: {arn}") from error
        return body

    def ensure(self, name: str, kind: str) -> Body:
        """A group by its name; made where there is none, by whichever build comes first."""
        try:
            return self.insert(name, kind)
        except ProjectExists:
            return self.records.get(GROUP, name) or self.insert(name, kind)

    def group(self, arn: str) -> Body | None:
        """A group by its ARN."""
        return self.records.get(GROUP, arn.rpartition("report-group/")[2])

    def report(self, arn: str) -> Body | None:
        """A report by its ARN, unless it is too old."""
        body = self.records.get(REPORT, _key(arn.rpartition(":report/")[2]))
        return body if body and body["expired"] > now() else None

    def reports(self, group: str = "") -> list[Body]:
        """Reports (of a group by its name), the newest first, without their rows; too old ones are removed."""
        rows, moment = self.records.list(REPORT, f"{group}/" if group else ""), now()
        for row in rows:
            if row["expired"] <= moment:
                self.drop(row)
        kept = (row for row in rows if row["expired"] > moment)
        return sorted(kept, key=lambda row: row["created"], reverse=True)

    def rows(self, report: Body) -> list[Body]:
        """The test cases or covered files of a report."""
        table = self.records.get(ROWS, _key(report["name"]))
        return list(table["rows"]) if table else []

    def drop(self, report: Body) -> None:
        """Removes a report with its rows."""
        for kind in (REPORT, ROWS):
            self.records.delete(kind, _key(report["name"]))

    def add(self, group: Body, build_arn: str, rows: list[Body]) -> Body:
        """A report of a build with its rows: test cases or covered files. Raises when the group no longer exists."""
        self.reports()  # removes those of before that are too old
        unique, moment = str(uuid.uuid4()), now()
        failed = group["type"] == TEST and any(row["status"] in FAILURES for row in rows)
        body = {
            "arn": self.arns.of("codebuild", f"report/{group['name']}:{unique}"), "type": group["type"],
            "name": f"{group['name']}:{unique}", "reportGroupArn": group["arn"], "executionId": build_arn,
            "status": BuildStatus.FAILED if failed else BuildStatus.SUCCEEDED, "created": moment,
            "expired": moment + KEPT_SECONDS,
            "exportConfig": group["exportConfig"], "truncated": False,
            **summary_of(group["type"], rows),
        }  # fmt: skip
        with self.records.transaction():
            if self.records.get(GROUP, group["name"]) is None:
                raise UnknownProject(f"Report group does not exist: {group['arn']}")
            self.records.insert(ROWS, _key(body["name"]), {"rows": rows})
            self.records.insert(REPORT, _key(body["name"]), body)
        return body


class TestReports(Resource):
    """The operations on report groups and reports."""

    def __init__(self, *, store: ReportStore) -> None:
        self._store = store

    @operation("CreateReportGroup", atomic=True)
    def create(self, request: Request) -> Response:
        """Makes a group; its reports are kept here and exported nowhere."""
        export = request["exportConfig"]
        _check_export(export)
        body = self._store.insert(request["name"], request["type"], exportConfig=export, tags=request.get("tags", []))
        return {"reportGroup": public(body)}

    @operation("UpdateReportGroup", atomic=True)
    def update(self, request: Request) -> Response:
        """Changes a group's tags."""
        body = self._require_group(request["arn"])
        _check_export(request.get("exportConfig", {}))
        body = {**body, "tags": request.get("tags", body["tags"]), "lastModified": now()}
        self._store.records.put(GROUP, body["name"], body)
        return {"reportGroup": public(body)}

    @operation("DeleteReportGroup", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a group. One with reports is removed with them only when the request says so."""
        group = self._store.group(request["arn"])
        if group is None:
            return {}
        reports = self._store.reports(group["name"])
        if reports and not request.get("deleteReports"):
            raise InvalidInput(
                "Cannot delete report group with reports. Set deleteReports to true to delete them, too."
            )
        for report in reports:
            self._store.drop(report)
        self._store.records.delete(GROUP, group["name"])
        return {}

    @operation("BatchGetReportGroups")
    def batch_groups(self, request: Request) -> Response:
        """Several groups; the ARNs of those that do not exist."""
        groups = {arn: self._store.group(arn) for arn in request["reportGroupArns"]}
        return {"reportGroups": [public(body) for body in groups.values() if body],
                "reportGroupsNotFound": [arn for arn, body in groups.items() if body is None]}  # fmt: skip

    @operation("ListReportGroups")
    def list_groups(self, request: Request) -> Response:
        """The ARNs of all groups."""
        order = {"NAME": "name", "CREATED_TIME": "created", "LAST_MODIFIED_TIME": "lastModified"}
        member = order[request.get("sortBy", "NAME")]
        rows = sorted(self._store.records.list(GROUP), key=lambda body: body[member])
        chosen, more = page_rows(rows[:: _step(request, "ASCENDING")], request, InvalidInput)
        return {"reportGroups": [body["arn"] for body in chosen], **more}

    @operation("BatchGetReports")
    def batch(self, request: Request) -> Response:
        """Several reports; the ARNs of those that do not exist."""
        reports = {arn: self._store.report(arn) for arn in request["reportArns"]}
        return {"reports": [public(body) for body in reports.values() if body],
                "reportsNotFound": [arn for arn, body in reports.items() if body is None]}  # fmt: skip

    @operation("ListReports")
    def list(self, request: Request) -> Response:
        """The ARNs of all reports, the newest first."""
        return self._arns(self._store.reports(), request)

    @operation("ListReportsForReportGroup")
    def list_of_group(self, request: Request) -> Response:
        """The ARNs of a group's reports, the newest first."""
        return self._arns(self._store.reports(self._require_group(request["reportGroupArn"])["name"]), request)

    @staticmethod
    def _arns(reports: Sequence[Body], request: Request) -> Response:
        wanted = request.get("filter", {}).get("status")
        rows = [row for row in reports if wanted in (None, row["status"])]
        chosen, more = page_rows(rows[:: _step(request, "DESCENDING")], request, InvalidInput)
        return {"reports": [row["arn"] for row in chosen], **more}

    @operation("DescribeTestCases")
    def test_cases(self, request: Request) -> Response:
        """The test cases of a report, by status and by a part of their name."""
        report, wanted = self._require_report(request["reportArn"]), request.get("filter", {})
        rows = [row for row in self._store.rows(report) if wanted.get("status") in (None, row.get("status"))
                and wanted.get("keyword", "") in f"{row.get('prefix')} {row.get('name')}"]  # fmt: skip
        more = {"reportArn": report["arn"], "expired": report["expired"]}
        chosen, token = page_rows(rows if report["type"] == TEST else [], request, InvalidInput)
        return {"testCases": [{**row, **more} for row in chosen], **token}

    @operation("DescribeCodeCoverages")
    def coverages(self, request: Request) -> Response:
        """The covered files of a report, within bounds of the covered share."""
        report = self._require_report(request["reportArn"])
        fewest, most = request.get("minLineCoveragePercentage", 0), request.get("maxLineCoveragePercentage", 100)
        member = "filePath" if request.get("sortBy") == "FILE_PATH" else "lineCoveragePercentage"
        rows = [{**row, "id": f"{report['name']}/{number}"} for number, row in enumerate(self._store.rows(report))
                if report["type"] != TEST and fewest <= row["lineCoveragePercentage"] <= most]  # fmt: skip
        rows.sort(key=lambda row: row[member])
        chosen, token = page_rows(rows[:: _step(request, "ASCENDING")], request, InvalidInput)
        more = {"reportARN": report["arn"], "expired": report["expired"]}
        return {"codeCoverages": [{**row, **more} for row in chosen], **token}

    @operation("DeleteReport", atomic=True)
    def delete_report(self, request: Request) -> Response:
        """Removes a report; one that does not exist is removed already."""
        report = self._store.report(request["arn"])
        if report is not None:
            self._store.drop(report)
        return {}

    def _require_group(self, arn: str) -> Body:
        body = self._store.group(arn)
        if body is None:
            raise UnknownProject(f"Report group does not exist: {arn}")
        return body

    def _require_report(self, arn: str) -> Body:
        body = self._store.report(arn)
        if body is None:
            raise UnknownProject(f"Report does not exist: {arn}")
        return body


def _key(name: str) -> str:
    """The key of a report's records: a group's name has no colon, so that the reports of a group stand together."""
    return name.replace(":", "/")


def _check_export(export: Request) -> None:
    if export.get("exportConfigType", "NO_EXPORT") != "NO_EXPORT" or export.get("s3Destination"):
        raise InvalidInput("LocalUnsupported: reports are not exported to S3 by the local service.")


def _step(request: Request, usual: str) -> int:
    """Whether rows stand in the order of the request, or the other way round."""
    return 1 if request.get("sortOrder", usual) == usual else -1
