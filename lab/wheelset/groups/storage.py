"""Files, databases and services elsewhere."""

from __future__ import annotations

from .model import Group

GROUPS: dict[str, Group] = {
    "storage": Group(
        ("pyarrow", "tables", "h5py", "zarr", "sqlalchemy", "fsspec", "dask[dataframe]"),
        {
            "pyarrow parquet": (
                "import pyarrow as p, pyarrow.parquet as q; q.write_table(p.table({'a': [1]}),"
                " 'a.parquet'); assert q.read_table('a.parquet').num_rows == 1"
            ),
            "pyarrow dataset and flight": "import pyarrow.dataset, pyarrow.compute, pyarrow.fs",
            "tables": (
                "import tables as t; f = t.open_file('a.h5', 'w'); f.create_array('/', 'a', [1]);"
                " f.close()"
            ),
            "h5py": ("import h5py; f = h5py.File('b.h5', 'w'); f['a'] = [1, 2]; f.close()"),
            "zarr": "import zarr; z = zarr.zeros((4, 4)); z[0] = 1; assert z[0, 0] == 1",
            "sqlalchemy": (
                "import sqlalchemy as s; e = s.create_engine('sqlite://'); e.connect().execute("
                "s.text('select 1'))"
            ),
            "dask reads its yaml": (
                "import dask; assert dask.config.get('temporary-directory', 0) != 1;"
                " import dask.array as a; assert a.ones(9).sum().compute() == 9"
            ),
            "dask dataframe": (
                "import dask.dataframe as d, pandas as p; assert d.from_pandas(p.DataFrame("
                "{'a': [1, 2]}), npartitions=1).a.sum().compute() == 3"
            ),
        },
    ),
    "cloud": Group(
        (
            "boto3",
            "google-api-python-client",
            "requests",
            "httpx",
            "grpcio",
            "protobuf",
            "cryptography",
            "aiohttp",
            "paramiko",
        ),
        {
            "boto3 clients": (
                "import boto3\nfor s in ('s3', 'sqs', 'dynamodb', 'ec2', 'lambda'):\n"
                "    boto3.client(s, region_name='eu-west-1')"
            ),
            "boto3 resources": "import boto3; boto3.resource('s3', region_name='eu-west-1')",
            "boto3 documents itself": (
                "import boto3; c = boto3.client('s3', region_name='eu-west-1');"
                " assert 'bucket' in c.list_buckets.__doc__.expandtabs()"
            ),
            "google discovery documents": (
                "from googleapiclient.discovery import build;"
                " build('drive', 'v3', developerKey='x', static_discovery=True)"
            ),
            "requests and certifi": (
                "import requests, certifi, os; assert os.path.getsize(certifi.where())"
            ),
            "httpx": "import httpx; httpx.Client()",
            "grpc": "import grpc; grpc.insecure_channel('localhost:1').close()",
            "protobuf": (
                "from google.protobuf import timestamp_pb2 as t, json_format as j;"
                " assert j.MessageToJson(t.Timestamp(seconds=1))"
            ),
            "cryptography": "from cryptography.fernet import Fernet as F; F(F.generate_key())",
            "aiohttp": "import aiohttp.web; aiohttp.web.Application()",
            "paramiko": "import paramiko; paramiko.SSHClient()",
        },
    ),
}
