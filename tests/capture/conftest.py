"""Shared by the tests of capture: reading a whole source, and an object store on this machine."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from driftline.capture.source import Source


def _values(source: Source) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {field.name: [] for field in source.fields}
    for part in source.parts:
        n_rows = 0
        for batch in part.read(range(len(source.fields))):
            sizes = {len(array) for array in batch.arrays}
            assert len(sizes) == 1
            n_rows += sizes.pop()
            for field, array in zip(source.fields, batch.arrays, strict=True):
                assert array.type == field.type
                array.validate(full=True)
                columns[field.name] += array.to_pylist()
        assert part.n_rows in (None, n_rows)
    return columns


@pytest.fixture(scope="session")
def values() -> Callable[[Source], dict[str, list[Any]]]:
    """Read everything, and check on the way what every source promises."""
    return _values


class Store:
    """A bucket in a store that speaks S3, on the loopback interface."""

    def __init__(self, client: Any, port: int) -> None:
        self.client = client
        self.port = port
        self.bucket = "bucket"

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}?endpoint_override=127.0.0.1:{self.port}&scheme=http"


@pytest.fixture(scope="session")
def store() -> Iterator[Store]:
    """A server for the whole session; tests keep to prefixes of their own."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        import boto3
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        yield Store(client, port)
        server.stop()
