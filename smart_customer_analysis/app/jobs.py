"""Reports are made one after the other, in a thread beside the answers; what does not fit is refused at once.

Jobs live as long as the process: the list of reports in the database is what stays. A process that ends takes its
running report with it, which stops by itself and publishes nothing.
"""

import logging
import threading
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from smart_customer_analysis.config import ScaError
from smart_customer_analysis.service import ReportOutcome, ReportRequest

from .errors import Busy

log = logging.getLogger(__name__)
QUEUE = 8  # reports waiting or being made; more are refused
KEPT = 200  # jobs remembered after they ended
RETRY_SECONDS = 30  # about one report


@dataclass
class Job:
    """One request and what came of it."""

    id: str
    request: ReportRequest
    status: str = "waiting"  # waiting, running, made, nothing_new, failed
    title: str | None = None
    html: str | None = None
    error: str | None = None  # one line

    @property
    def is_open(self) -> bool:
        return self.status in ("waiting", "running")


class Jobs:
    """A bounded queue in front of the runner of reports."""

    def __init__(
        self,
        make: Callable[[ReportRequest], ReportOutcome],
        is_there: Callable[[str], bool],
        queue: int = QUEUE,
        kept: int = KEPT,
    ) -> None:
        self.make, self.is_there, self.queue, self.kept = make, is_there, queue, kept
        self.jobs: OrderedDict[str, Job] = OrderedDict()
        self.waiting: deque[Job] = deque()
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.closed = False

    def ask(self, request: ReportRequest) -> Job:
        """The job of this request, an earlier one where it is the same; raises `Busy` where the queue is full."""
        with self.lock:
            if same := next((j for j in reversed(self.jobs.values()) if self._stands_for(j, request)), None):
                return same
            if sum(j.is_open for j in self.jobs.values()) >= self.queue or self.closed:
                raise Busy(RETRY_SECONDS)
            job = Job(uuid.uuid4().hex, request)
            self.jobs[job.id] = job
            self.waiting.append(job)
            for old in [j.id for j in self.jobs.values() if not j.is_open][: max(0, len(self.jobs) - self.kept)]:
                del self.jobs[old]
            if self.thread is None:
                self.thread = threading.Thread(target=self._work, name="reports", daemon=True)
                self.thread.start()
            return job

    def get(self, id: str) -> Job | None:
        """A job by its id; None: there is none, or it ended long ago."""
        with self.lock:
            return self.jobs.get(id)

    def close(self) -> None:
        """Start nothing more."""
        with self.lock:
            self.closed = True
            self.waiting.clear()

    def _stands_for(self, job: Job, request: ReportRequest) -> bool:
        """Whether a job is this request: open, or made and its page still there. A failed one is tried again."""
        if job.request["key"] != request["key"] or job.status == "failed":
            return False
        return job.is_open or bool(job.html and self.is_there(job.html))

    def _work(self) -> None:
        while True:
            with self.lock:
                if not self.waiting:
                    self.thread = None
                    return
                job = self.waiting.popleft()
                job.status = "running"
            try:
                page = self.make(job.request)
                job.title, job.html, job.status = page["title"], page["html"], page["status"]
            except ScaError as error:
                job.error, job.status = " ".join(str(error).split())[:500], "failed"
            except Exception:
                log.exception("report %s failed", job.request["name"])
                job.error, job.status = "This is a fault of the program; the log has it.", "failed"
