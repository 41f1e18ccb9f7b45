"""Services of AWS, by boto3: see the page on AWS in the guide."""

from ._batch import AwsBatch
from ._errors import AwsError
from ._glue import GlueJobs
from ._step_functions import StepFunctions

__all__ = ["AwsBatch", "AwsError", "GlueJobs", "StepFunctions"]
