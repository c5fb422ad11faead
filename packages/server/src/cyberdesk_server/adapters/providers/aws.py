"""AWS Signature Version 4 of a GET without a query and a body."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from cyberdesk_server.domain.provider_credentials import AwsIam

ALGORITHM = "AWS4-HMAC-SHA256"
SIGNED = "host;x-amz-date"


def signed_headers(keys: AwsIam, url: str, now: datetime, *, service: str = "bedrock") -> Mapping[str, str]:
    """The headers that prove who asks for `url`; good for some minutes around `now`."""
    parts = urlsplit(url)
    moment, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    scope = f"{day}/{keys.region}/{service}/aws4_request"
    canonical = "\n".join(
        ["GET", parts.path or "/", "", f"host:{parts.netloc}", f"x-amz-date:{moment}", "", SIGNED, _hash("")]
    )
    key = f"AWS4{keys.secret_access_key}".encode()
    for part in (day, keys.region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    to_sign = "\n".join([ALGORITHM, moment, scope, _hash(canonical)])
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"Credential={keys.access_key_id}/{scope}"
    return {
        "x-amz-date": moment,
        "Authorization": f"{ALGORITHM} {credential}, SignedHeaders={SIGNED}, Signature={signature}",
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
