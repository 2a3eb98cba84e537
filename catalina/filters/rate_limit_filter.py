"""Limits the requests of each client (Tomcat: filters/RateLimitFilter.java)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from catalina.attributes import Attribute, AttributeRefused
from catalina.digester.class_names import ClassBroken, find_class
from catalina.errors import DeploymentError
from catalina.filters.filter_base import Environ, FilterBase, Headers, StartResponse
from catalina.util.rate_limiter_base import BucketCounts, RateLimiterBase
from catalina.webapp import send_error

__all__ = ["RateLimitFilter"]

COUNT_KEY = "org.apache.catalina.filters.RateLimitFilter.Count"


def _positive(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise AttributeRefused("a whole number of 1 or more")
    return int(text)


class RateLimitFilter(FilterBase):
    """Counts requests by address, and refuses a client that exceeds the limit within one period."""

    config_problem_fatal: ClassVar[bool] = True

    bucket_duration = Attribute(_positive, 60, unit="seconds", doc="Length of a bucket.")
    bucket_requests = Attribute(_positive, 300, doc="Requests per client and bucket.")
    enforce = Attribute(bool, True, doc="Refuse; false only logs and counts.")
    status_code = Attribute(int, 429, doc="Status for refused requests.")
    status_message = Attribute(str, "Too many requests", doc="Text for refused requests.")
    expose_headers = Attribute(bool, False, doc="Tell the client by RateLimit and RateLimit-Policy.")
    policy_name = Attribute(str, "", doc="Name in these headers.")
    rate_limit_class_name = Attribute(
        str, "org.apache.catalina.util.FastRateLimiter", doc="How buckets are made; ExactRateLimiter is the other one."
    )

    limiter: RateLimiterBase

    def prepare(self) -> None:
        """Make the limiter."""
        try:
            found = find_class(self.rate_limit_class_name)
        except ClassBroken as error:
            raise DeploymentError(f"RateLimitFilter: rateLimitClassName: {error}") from error
        if found is None or not issubclass(found, RateLimiterBase):
            raise DeploymentError(f"RateLimitFilter: {self.rate_limit_class_name!r} is no rate limiter")
        self.limiter = found(self.bucket_duration, self.bucket_requests, self.policy_name.strip())
        shared = self.context.node_state(BucketCounts, type(self).__name__)
        if shared is not None:
            self.limiter.share(shared)
        self.logger.info(
            "RateLimitFilter initialized with [%d] requests per [%d] seconds. Actual is [%d] per [%d] seconds. %s.",
            self.bucket_requests,
            self.bucket_duration,
            self.limiter.requests,
            self.limiter.duration,
            "enforcing" if self.enforce else "Not enforcing",
        )

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        client = environ.get("REMOTE_ADDR", "")
        count = environ[COUNT_KEY] = self.limiter.increment(client)
        start = self._with_headers(start_response, count) if self.expose_headers else start_response
        if count > self.limiter.requests:
            self.logger.warning(
                "[%d] requests from [%s] exceed the limit of [%d] in [%d] seconds",
                count,
                client,
                self.limiter.requests,
                self.limiter.duration,
            )
            if self.enforce:
                return send_error(environ, start, self.status_code, self.status_message)
        return self.next(environ, start)

    def _with_headers(self, start_response: StartResponse, count: int) -> StartResponse:
        fields = [("RateLimit-Policy", self.limiter.policy)]
        if self.enforce:
            fields.append(("RateLimit", self.limiter.quota(count)))

        def start(status: str, headers: Headers, *exc_info: Any) -> object:
            return start_response(status, [*headers, *fields], *exc_info)

        return start
