"""What each role of the project has to do, and where that is done: the list that the template's grants must equal.

By role: actions with an example of the resource. ``P`` is the prefix of the project's names, ``G`` its model group,
``N`` its name, ``B`` its bucket.
"""

from __future__ import annotations

from collections.abc import Mapping

Rights = Mapping[str, tuple[str, str]]
"""By a resource: the actions on it, divided by blanks, and what needs them."""

IMAGES = {
    "*": ("ecr:GetAuthorizationToken", "pulling images"),
    "ecr:repository/sagemaker-xgboost": (
        "ecr:BatchGetImage ecr:GetDownloadUrlForLayer ecr:BatchCheckLayerAvailability", "pulling images",
    ),
}  # fmt: skip
JOB_LOGS = {
    "logs:log-group:/aws/sagemaker/ProcessingJobs:*": (
        "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents logs:DescribeLogStreams", "jobs write logs",
    ),
}  # fmt: skip
BUILD_LOGS = {
    "logs:log-group:/aws/codebuild/P-modelbuild:*": (
        "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents", "builds write logs",
    ),
}  # fmt: skip
ARTIFACTS = {
    "s3:B": ("s3:ListBucket s3:GetBucketLocation s3:GetBucketVersioning", "CodePipeline and CodeBuild, artifacts"),
    "s3:B/x/y.zip": ("s3:GetObject s3:GetObjectVersion s3:PutObject", "the same"),
}
BUILD: Rights = {
    **BUILD_LOGS, **ARTIFACTS,
    "sagemaker:pipeline/G": (
        "sagemaker:CreatePipeline sagemaker:UpdatePipeline sagemaker:DescribePipeline sagemaker:ListTags "
        "sagemaker:AddTags sagemaker:StartPipelineExecution sagemaker:ListPipelineExecutions",
        "run-pipeline: upsert and start",
    ),
    "sagemaker:pipeline/G/execution/abc": (
        "sagemaker:DescribePipelineExecution sagemaker:ListPipelineExecutionSteps "
        "sagemaker:ListPipelineParametersForExecution",
        "run-pipeline: progress and estimate",
    ),
    "sagemaker:model-package-group/G": ("sagemaker:ListModelPackages", "run-pipeline: switches of the checks"),
    "sagemaker:model-package/G/1": ("sagemaker:DescribeModelPackage", "the same"),
    "sagemaker:processing-job/pipelines-abc": ("sagemaker:DescribeProcessingJob", "run-pipeline: why a step failed"),
    "logs:log-group:/aws/sagemaker/ProcessingJobs:*": (
        "logs:GetLogEvents logs:DescribeLogStreams logs:FilterLogEvents", "run-pipeline: the log of a failed step",
    ),
    "sagemaker:project/N": ("sagemaker:ListTags", "run-pipeline: tags of the project"),
    "*": (
        "sagemaker:ListMonitoringSchedules sagemaker:ListDataQualityJobDefinitions "
        "sagemaker:ListModelQualityJobDefinitions sagemaker:ListModelBiasJobDefinitions "
        "sagemaker:ListModelExplainabilityJobDefinitions",
        "run-pipeline: which checks the account can run",
    ),
    "iam:role/service-role/P-exec": ("iam:PassRole=iam:PassedToService=sagemaker.amazonaws.com", "CreatePipeline"),
    "sagemaker:pipeline/G-deeper-0a1b2c": (
        "sagemaker:DeletePipeline=aws:ResourceTag/delivery:experiment-of=G", "experiments: the end of a branch",
    ),
    "sagemaker:pipeline/G-deeper-0a1b2c/execution/abc": ("sagemaker:StopPipelineExecution", "the same"),
    "sagemaker:model-package-group/G-deeper-0a1b2c": (
        "sagemaker:CreateModelPackageGroup=aws:RequestTag/delivery:experiment-of=G "
        "sagemaker:AddTags=aws:RequestTag/delivery:experiment-of=G sagemaker:ListTags "
        "sagemaker:DescribeModelPackageGroup sagemaker:ListModelPackages "
        "sagemaker:DeleteModelPackageGroup=aws:ResourceTag/delivery:experiment-of=G", "its group, with its tag",
    ),
    "sagemaker:model-package/G-deeper-0a1b2c/1": (
        "sagemaker:DescribeModelPackage sagemaker:DeleteModelPackage=aws:ResourceTag/delivery:experiment-of=G",
        "the same",
    ),
    "codecommit:P-modelbuild": ("codecommit:GitPull", "CodeBuild: the source of a branch"),
}  # fmt: skip
RIGHTS: Mapping[str, Rights] = {
    "exec": {
        **IMAGES, **JOB_LOGS,
        "*": ("ecr:GetAuthorizationToken cloudwatch:PutMetricData=cloudwatch:namespace=/aws/sagemaker/TrainingJobs",
              "images, and metrics of jobs"),
        "s3:B": ("s3:ListBucket s3:GetBucketLocation", "jobs read and write data"),
        "s3:B/x/y.csv": ("s3:GetObject s3:PutObject s3:DeleteObject s3:AbortMultipartUpload", "the same"),
        "sagemaker:processing-job/a": (
            "sagemaker:CreateProcessingJob sagemaker:DescribeProcessingJob sagemaker:StopProcessingJob "
            "sagemaker:AddTags", "steps of the pipeline",
        ),
        "sagemaker:training-job/a": (
            "sagemaker:CreateTrainingJob sagemaker:DescribeTrainingJob sagemaker:StopTrainingJob", "the same",
        ),
        "sagemaker:transform-job/a": (
            "sagemaker:CreateTransformJob sagemaker:DescribeTransformJob sagemaker:StopTransformJob", "the same",
        ),
        "sagemaker:model/a": ("sagemaker:CreateModel sagemaker:DescribeModel sagemaker:DeleteModel", "model step"),
        "sagemaker:model-package-group/G": (
            "sagemaker:CreateModelPackageGroup sagemaker:DescribeModelPackageGroup sagemaker:ListModelPackages "
            "sagemaker:CreateModelPackage", "registration, baselines of the checks",
        ),
        "sagemaker:model-package/G/1": ("sagemaker:DescribeModelPackage sagemaker:AddTags", "the same"),
        "sagemaker:model-package-group/G-deeper-0a1b2c": (
            "sagemaker:CreateModelPackageGroup sagemaker:CreateModelPackage", "experiments",
        ),
        "sagemaker:model-package/G-deeper-0a1b2c/1": ("sagemaker:DescribeModelPackage", "experiments"),
        "iam:role/service-role/P-exec": ("iam:PassRole=iam:PassedToService=sagemaker.amazonaws.com", "jobs of steps"),
    },
    "mon": {
        **IMAGES, **JOB_LOGS,
        "*": ("ecr:GetAuthorizationToken cloudwatch:PutMetricData=cloudwatch:namespace=Delivery/Monitoring",
              "images, and metrics of monitors"),
        "s3:B": ("s3:ListBucket s3:GetBucketLocation", "capture, labels, baselines"),
        "s3:B/x/y.jsonl": ("s3:GetObject s3:PutObject", "the same, and reports"),
        "sagemaker:processing-job/a": (
            "sagemaker:CreateProcessingJob sagemaker:DescribeProcessingJob sagemaker:StopProcessingJob "
            "sagemaker:AddTags", "steps of portable monitors",
        ),
        "events:event-bus/default": ("events:PutEvents=events:source=delivery.monitoring", "notify.py"),
        "iam:role/service-role/P-mon": ("iam:PassRole=iam:PassedToService=sagemaker.amazonaws.com", "jobs of steps"),
        "sagemaker:endpoint/sm-clarify-a": (
            "sagemaker:CreateEndpoint sagemaker:DeleteEndpoint sagemaker:DescribeEndpoint sagemaker:InvokeEndpoint "
            "sagemaker:AddTags", "explainability asks the model",
        ),
        "sagemaker:endpoint-config/sm-clarify-a": (
            "sagemaker:CreateEndpointConfig sagemaker:DeleteEndpointConfig sagemaker:DescribeEndpointConfig",
            "the same",
        ),
        "sagemaker:model/a": ("sagemaker:DescribeModel", "the same"),
    },
    "cfn": {
        "sagemaker:model/a": ("sagemaker:CreateModel sagemaker:DescribeModel sagemaker:DeleteModel", "Model"),
        "sagemaker:endpoint-config/a": (
            "sagemaker:CreateEndpointConfig sagemaker:DescribeEndpointConfig sagemaker:DeleteEndpointConfig",
            "EndpointConfig",
        ),
        "sagemaker:endpoint/N-staging": (
            "sagemaker:CreateEndpoint sagemaker:DescribeEndpoint sagemaker:UpdateEndpoint sagemaker:DeleteEndpoint "
            "sagemaker:UpdateEndpointWeightsAndCapacities sagemaker:AddTags sagemaker:DeleteTags sagemaker:ListTags",
            "Endpoint, and its scaling",
        ),
        **{
            f"sagemaker:{kind}-job-definition/a": (
                f"sagemaker:Create{name}JobDefinition sagemaker:Describe{name}JobDefinition "
                f"sagemaker:Delete{name}JobDefinition", f"{name}JobDefinition",
            )
            for kind, name in (
                ("data-quality", "DataQuality"), ("model-quality", "ModelQuality"), ("model-bias", "ModelBias"),
                ("model-explainability", "ModelExplainability"),
            )
        },
        "sagemaker:monitoring-schedule/N-staging-data-quality": (
            "sagemaker:CreateMonitoringSchedule sagemaker:DescribeMonitoringSchedule "
            "sagemaker:UpdateMonitoringSchedule sagemaker:DeleteMonitoringSchedule sagemaker:AddTags "
            "sagemaker:ListTags", "MonitoringSchedule",
        ),
        "sagemaker:pipeline/N-staging-monitoring": (
            "sagemaker:CreatePipeline sagemaker:UpdatePipeline sagemaker:DescribePipeline sagemaker:DeletePipeline "
            "sagemaker:AddTags sagemaker:DeleteTags sagemaker:ListTags", "Pipeline of portable monitors",
        ),
        "scheduler:schedule/default/N-staging-monitoring": (
            "scheduler:CreateSchedule scheduler:UpdateSchedule scheduler:GetSchedule scheduler:DeleteSchedule",
            "Schedule",
        ),
        "s3:B/portable-monitors/x/definition.json": ("s3:GetObject", "PipelineDefinitionS3Location"),
        "sagemaker:model-package/G/1": ("sagemaker:DescribeModelPackage", "Model of a version"),
        "cloudwatch:alarm:N-staging-drift": (
            "cloudwatch:PutMetricAlarm cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:TagResource "
            "cloudwatch:UntagResource cloudwatch:ListTagsForResource", "Alarm",
        ),
        "*": (
            " ".join(f"application-autoscaling:{name}=application-autoscaling:service-namespace=sagemaker" for name in (
                "RegisterScalableTarget", "DeregisterScalableTarget", "DescribeScalableTargets", "PutScalingPolicy",
                "DeleteScalingPolicy", "DescribeScalingPolicies",
            )), "ScalableTarget and ScalingPolicy",
        ),
        "iam:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleFor": (
            "iam:CreateServiceLinkedRole=iam:AWSServiceName=sagemaker.application-autoscaling.amazonaws.com",
            "ScalableTarget, the first of the account",
        ),
        "events:rule/N-staging-retrain": (
            "events:PutRule events:DeleteRule events:DescribeRule events:PutTargets events:RemoveTargets "
            "events:TagResource", "Rule that retrains",
        ),
        "iam:role/service-role/P-exec": ("iam:PassRole=iam:PassedToService=sagemaker.amazonaws.com", "Model"),
        "iam:role/service-role/P-mon": ("iam:PassRole=iam:PassedToService=sagemaker.amazonaws.com", "monitors"),
        "iam:role/service-role/P-events": ("iam:PassRole=iam:PassedToService=scheduler.amazonaws.com", "Schedule"),
    },
    "build": BUILD,
    "deploy": {
        **BUILD_LOGS, **ARTIFACTS,
        "sagemaker:model-package-group/G": ("sagemaker:ListModelPackages", "modeldeploy.build: approved versions"),
        "sagemaker:model-package/G/1": (
            "sagemaker:DescribeModelPackage sagemaker:UpdateModelPackage", "both builds: version, life cycle",
        ),
        "sagemaker:endpoint/N-staging": ("sagemaker:DescribeEndpoint", "modelmonitor.build: what is deployed"),
        "sagemaker:endpoint-config/a": ("sagemaker:DescribeEndpointConfig", "the same"),
        "sagemaker:model/a": ("sagemaker:DescribeModel", "the same"),
        "sagemaker:project/N": ("sagemaker:ListTags", "both builds: tags of the project"),
        "cloudformation:stack/P-deploy-staging/*": ("cloudformation:DescribeStacks", "modeldeploy.build: deployed key"),
    },
    "test": {
        **BUILD_LOGS, **ARTIFACTS,
        "sagemaker:endpoint/N-staging": ("sagemaker:DescribeEndpoint sagemaker:InvokeEndpoint", "check_endpoint"),
        "sagemaker:endpoint/N-prod": ("sagemaker:DescribeEndpoint sagemaker:InvokeEndpoint", "check_endpoint"),
        "sagemaker:model-package/G/1": ("sagemaker:UpdateModelPackage", "check_endpoint: life cycle"),
    },
    "pipe": {
        **ARTIFACTS,
        "codebuild:project/P-modeldeploy": ("codebuild:StartBuild codebuild:BatchGetBuilds", "build actions"),
        "cloudformation:stack/P-deploy-staging/*": (
            "cloudformation:CreateStack cloudformation:UpdateStack cloudformation:DeleteStack "
            "cloudformation:DescribeStacks cloudformation:DescribeStackEvents cloudformation:DescribeStackResources "
            "cloudformation:CreateChangeSet cloudformation:DescribeChangeSet cloudformation:ExecuteChangeSet "
            "cloudformation:DeleteChangeSet", "deploy actions of every ActionMode",
        ),
        "iam:role/service-role/P-cfn": ("iam:PassRole=iam:PassedToService=cloudformation.amazonaws.com", "the same"),
        "codecommit:P-modelbuild": (
            "codecommit:GetBranch codecommit:GetCommit codecommit:UploadArchive codecommit:GetUploadArchiveStatus",
            "source actions",
        ),
    },
    "events": {
        "codepipeline:P-modeldeploy": ("codepipeline:StartPipelineExecution", "rules"),
        "codebuild:project/P-experiment": ("codebuild:StartBuild", "rules of experiments"),
        "sagemaker:pipeline/G": ("sagemaker:StartPipelineExecution", "rules that retrain"),
        "sagemaker:pipeline/N-staging-monitoring": ("sagemaker:StartPipelineExecution", "schedules of monitors"),
    },
    "reject": {
        "logs:log-group:/aws/lambda/P-reject:log-stream:a": ("logs:CreateLogStream logs:PutLogEvents", "its log"),
        "codepipeline:P-modeldeploy": ("codepipeline:ListActionExecutions", "the version and the comment"),
        "sagemaker:model-package/G/1": ("sagemaker:UpdateModelPackage", "life cycle"),
    },
}  # fmt: skip
DENIED: Mapping[str, Mapping[str, str]] = {
    "exec": {"sagemaker:model-package/G/1": "sagemaker:UpdateModelPackage", "s3:other/x": "s3:GetObject"},
    "mon": {"sagemaker:endpoint/N-prod": "sagemaker:DeleteEndpoint", "s3:other/x": "s3:GetObject"},
    "cfn": {"sagemaker:endpoint/other": "sagemaker:DeleteEndpoint", "iam:role/Admin": "iam:PassRole"},
    "build": {"sagemaker:pipeline/G": "sagemaker:DeletePipeline", "sagemaker:model-package/G/1":
              "sagemaker:DeleteModelPackage", "iam:role/Admin": "iam:PassRole"},
    "deploy": {"cloudformation:stack/P-deploy-prod/*": "cloudformation:UpdateStack"},
    "test": {"sagemaker:endpoint/N-prod": "sagemaker:DeleteEndpoint"},
    "pipe": {"cloudformation:stack/other/*": "cloudformation:UpdateStack", "iam:role/Admin": "iam:PassRole"},
    "events": {"codepipeline:other": "codepipeline:StartPipelineExecution"},
    "reject": {"sagemaker:model-package/other/1": "sagemaker:UpdateModelPackage"},
}  # fmt: skip
"""An action that each role may not do on a resource, though it may do others there, or the same elsewhere."""
