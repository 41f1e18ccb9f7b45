"""Services for job queues: results of Celery, RQ, Huey and Dramatiq as futures, asked about in bulk, without threads.

A client is imported when a service for it is made.
"""

from ._errors import NothingHeard, RemoteTraceback
from .celery_tasks import CeleryTasks
from .dramatiq_messages import DramatiqMessages
from .huey_tasks import HueyTasks
from .rq_jobs import RqJobs, RqRecord

__all__ = ["CeleryTasks", "DramatiqMessages", "HueyTasks", "NothingHeard", "RemoteTraceback", "RqJobs", "RqRecord"]
